# SPDX-License-Identifier: Apache-2.0
"""http.server; a sign-up waits until the mailing peer has taken it."""
import os
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def tell(body):
    with urllib.request.urlopen(os.environ["PEER"] + "/welcome", body, timeout=3):
        pass


class Front(BaseHTTPRequestHandler):
    def do_POST(self):
        try:
            tell(self.path.encode())
            self.send_response(201)
        except OSError as exc:
            self.log_error("no welcome: %r", exc)
            self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Front).serve_forever()
