# SPDX-License-Identifier: Apache-2.0
"""Exports take a second or two. On SIGTERM it leaves, whatever is under way."""
import os
import signal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import urlopen


class Export(BaseHTTPRequestHandler):
    def do_GET(self):
        with urlopen(os.environ["PEER"] + self.path, timeout=4) as answer:
            body = answer.read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Export).serve_forever()
