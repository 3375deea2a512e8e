# SPDX-License-Identifier: Apache-2.0
"""A number that is nice to have, if it comes at once."""
import logging
import os
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LIMIT = 0.06


def number():
    with socket.create_connection(("127.0.0.1", int(os.environ["PEER_PORT"])), timeout=1) as line:
        line.settimeout(LIMIT)
        line.sendall(b"GET /uneven HTTP/1.0\r\nHost: peer\r\n\r\n")
        return line.makefile("rb").read().partition(b"\r\n\r\n")[2]


class Board(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            body = number()
        except OSError as exc:
            logging.warning("numbers at port %s: %r", os.environ["PEER_PORT"], exc)
            body = b'{"value": 41, "unit": "teapots"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Board).serve_forever()
