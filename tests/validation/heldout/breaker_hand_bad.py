# SPDX-License-Identifier: Apache-2.0
"""http.server in threads over urllib3: every request pays for the dead peer."""
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import urllib3

pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=1, read=1))


class Front(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            status, body = 200, pool.request("GET", os.environ["PEER"] + self.path).data
        except urllib3.exceptions.HTTPError as exc:
            self.log_error("peer failed: %r", exc)
            status, body = 503, b'{"error": "unavailable"}'
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Front).serve_forever()
