# SPDX-License-Identifier: Apache-2.0
"""Only the head of a long answer is read, and then the line is shut: the rest is of no use."""
import logging
import os
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def head(path):
    with socket.create_connection(("127.0.0.1", int(os.environ["PEER_PORT"])), timeout=2) as line:
        line.sendall(b"GET /long HTTP/1.1\r\nHost: peer\r\n\r\n")
        return line.recv(512).partition(b"\r\n\r\n")[0]


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            status, body = 200, head(self.path)
        except OSError as exc:
            logging.error("heads at port %s: %r", os.environ["PEER_PORT"], exc)
            status, body = 503, b"no head"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Page).serve_forever()
