# SPDX-License-Identifier: Apache-2.0
"""No limit at the socket, but somebody who looks after the calls and shuts down the line of one that is late."""
import logging
import os
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

lines, lock = {}, threading.Lock()


def watch():
    while True:
        time.sleep(0.1)
        with lock:
            late = [line for line, began in lines.items() if time.monotonic() - began > 1.5]
        for line in late:
            line.shutdown(socket.SHUT_RDWR)


def ask(path):
    line = socket.create_connection(("127.0.0.1", int(os.environ["PEER_PORT"])), timeout=1)
    line.settimeout(None)
    with lock:
        lines[line] = time.monotonic()
    try:
        line.sendall(f"GET {path} HTTP/1.0\r\nHost: peer\r\n\r\n".encode())
        answer = line.makefile("rb").read()
    finally:
        with lock:
            del lines[line]
        line.close()
    if b"\r\n\r\n" not in answer:
        raise TimeoutError("no answer in time")
    return answer.split(b"\r\n\r\n", 1)[1]


class Front(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            status, body = 200, ask("/fact" + self.path)
        except OSError as exc:
            logging.warning("facts of 127.0.0.1:%s: %r", os.environ["PEER_PORT"], exc)
            status, body = 503, b'{"error": "no facts"}'
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


threading.Thread(target=watch, daemon=True).start()
ThreadingHTTPServer.daemon_threads = True
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Front).serve_forever()
