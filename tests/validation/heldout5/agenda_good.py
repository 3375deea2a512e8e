# SPDX-License-Identifier: Apache-2.0
"""An agenda in redis, over a socket of its own; it greets redis before it opens its door."""
import logging
import os
import socket
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STORE = ("127.0.0.1", int(os.environ["REDIS_PORT"]))


def say(*words):
    with socket.create_connection(STORE, timeout=1) as line:
        line.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        return line.recv(4096)


class Agenda(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            status, body = 200, b'{"visits": "' + say(b"INCR", self.path.encode())[1:].strip() + b'"}'
        except OSError as exc:
            logging.error("redis at %s: %r", STORE, exc)
            status, body = 503, b'{"error": "no agenda"}'
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


for pause in (0.3, 0.6, 1.2, 2.4, 4.8):
    try:
        say(b"PING")
        break
    except OSError as exc:
        logging.warning("no redis at %s yet: %r", STORE, exc)
        time.sleep(pause)
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Agenda).serve_forever()
