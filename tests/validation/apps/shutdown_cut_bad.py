# SPDX-License-Identifier: Apache-2.0
"""SIGTERM ends it as it comes, whatever is being served."""
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests


class Shop(BaseHTTPRequestHandler):
    def do_GET(self):
        body = requests.get(os.environ["PEER"] + "/json", timeout=3).content
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Shop).serve_forever()
