# SPDX-License-Identifier: Apache-2.0
"""Tries again for a second by a clock that only counts."""
import os
import random
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests


def quote():
    until = time.monotonic() + 1
    while True:
        try:
            return requests.get(os.environ["PEER"] + "/json", timeout=0.5).content[-2:]
        except requests.RequestException:
            if time.monotonic() > until:
                raise
            time.sleep(random.uniform(0.2, 0.4))


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        status, answer = 200, b""
        try:
            answer = quote()
        except OSError as exc:
            print(f"WARNING no quote from the peer: {exc!r}", file=sys.stderr, flush=True)
            status = 503
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
