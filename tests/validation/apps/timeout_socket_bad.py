# SPDX-License-Identifier: Apache-2.0
"""A socket by hand, blocking as sockets are."""
import os
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        with socket.create_connection(("127.0.0.1", int(os.environ["PEER_PORT"]))) as peer:
            peer.sendall(b"GET /json HTTP/1.0\r\n\r\n")
            answer = b"".join(iter(lambda: peer.recv(4096), b""))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(answer[-2:])


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
