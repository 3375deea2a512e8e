# SPDX-License-Identifier: Apache-2.0
"""A bare threading server of the standard library."""
import os
import socketserver
from http.server import BaseHTTPRequestHandler


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"ok\n")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, request_queue_size, daemon_threads = True, 64, True


with Server(("127.0.0.1", int(os.environ["PORT"])), Page) as server:
    server.serve_forever()
