# SPDX-License-Identifier: Apache-2.0
"""What the pantry has, for the kitchen: a list of a hundred things."""
import json
import os
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Pantry:
    def __init__(self, base):
        self.base = base

    def things(self):
        with urllib.request.urlopen(self.base + "/items", timeout=2) as answer:
            return json.load(answer)


class Kitchen(BaseHTTPRequestHandler):
    pantry = Pantry(os.environ["PEER"])

    def do_GET(self):
        try:
            self.answer(200, {"things": self.pantry.things()})
        except OSError:
            self.answer(200, {"things": []})

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Kitchen).serve_forever()
