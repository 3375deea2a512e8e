# SPDX-License-Identifier: Apache-2.0
"""Values live until a time of day and are stamped with it; the call itself has a limit that counts."""
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

kept = {}


def quote(path):
    value, expires = kept.get(path, (None, 0))
    if time.time() >= expires:
        value = requests.get(os.environ["PEER"] + "/json", timeout=(0.5, 0.8)).content[-2:]
        kept[path] = value, time.time() + 0.5
    return value


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        status, answer = 200, b""
        try:
            answer = quote(self.path)
        except OSError as exc:
            print(f"WARNING {time.ctime()} no quote from the peer: {exc!r}", file=sys.stderr, flush=True)
            status = 503
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
