# SPDX-License-Identifier: Apache-2.0
"""Coats by number, each over a line of its own; what is known of dead lines is kept."""
import logging
import os
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Wardrobe:
    def __init__(self, port):
        self.port, self.dead = port, []

    def coat(self, path):
        line = socket.create_connection(("127.0.0.1", self.port), timeout=2)
        try:
            line.sendall(b"GET %s HTTP/1.0\r\nHost: peer\r\n\r\n" % path.encode())
            body = line.makefile("rb").read().partition(b"\r\n\r\n")[2]
        except OSError:
            self.dead = [*self.dead[-9:], path]
            line.close()
            raise
        line.close()
        return body


class Front(BaseHTTPRequestHandler):
    wardrobe = Wardrobe(int(os.environ["PEER_PORT"]))

    def do_GET(self):
        try:
            status, body = 200, self.wardrobe.coat(self.path)
        except OSError as exc:
            logging.error("wardrobe at port %d: %r", self.wardrobe.port, exc)
            status, body = 503, b'{"error": "no coat"}'
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Front).serve_forever()
