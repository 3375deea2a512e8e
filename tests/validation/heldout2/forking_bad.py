# SPDX-License-Identifier: Apache-2.0
"""A small prefork server. When a child is gone, it is gone."""
import os
import signal
from http.server import BaseHTTPRequestHandler, HTTPServer


class Hello(BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"hello from %d\n" % os.getpid()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


server = HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Hello)
server.socket.listen(64)
for _ in range(2):
    if os.fork() == 0:
        server.serve_forever()
signal.pause()  # the operator ends it
