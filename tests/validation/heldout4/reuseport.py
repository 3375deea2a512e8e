# SPDX-License-Identifier: Apache-2.0
"""Two processes, each with a door of its own at the same port. Who is gone leaves no door behind."""
import os
import socket
import time
from http.server import BaseHTTPRequestHandler, HTTPServer


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"hello\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Own(HTTPServer):
    def server_bind(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        super().server_bind()


for _ in range(2):
    if os.fork() == 0:
        Own(("127.0.0.1", int(os.environ["PORT"])), Page).serve_forever()
while True:
    time.sleep(1)
