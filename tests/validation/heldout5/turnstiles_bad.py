# SPDX-License-Identifier: Apache-2.0
"""A house that says when to come back; its callers come back when they like."""
import logging
import os
import random
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def enter():
    for turn in range(6):
        try:
            with urllib.request.urlopen(os.environ["PEER"] + "/busy", timeout=2) as answer:
                return 200, answer.read()
        except urllib.error.HTTPError as exc:
            logging.warning("%s says %d, come back in %s", exc.url, exc.code, exc.headers["Retry-After"])
            exc.close()
            time.sleep(random.uniform(0.1, 0.4))
    return 503, b'{"error": "full"}'


class Turnstile(BaseHTTPRequestHandler):
    def do_GET(self):
        status, body = enter()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Turnstile).serve_forever()
