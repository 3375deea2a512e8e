# SPDX-License-Identifier: Apache-2.0
"""http.server in threads over urllib3, with a breaker of a few lines."""
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import urllib3

pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=1, read=1))
failures, again_at = 0, 0.0


def ask(path):
    global failures, again_at
    if failures >= 4:
        if time.monotonic() < again_at:
            raise urllib3.exceptions.HTTPError("peer is known to be down")
        again_at = time.monotonic() + 2  # one asks, the others wait for what it finds
    try:
        body = pool.request("GET", os.environ["PEER"] + path).data
    except urllib3.exceptions.HTTPError:
        failures, again_at = failures + 1, time.monotonic() + 2
        raise
    failures = 0
    return body


class Front(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            status, body = 200, ask(self.path)
        except urllib3.exceptions.HTTPError as exc:
            self.log_error("peer failed: %r", exc)
            status, body = 503, b'{"error": "unavailable"}'
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Front).serve_forever()
