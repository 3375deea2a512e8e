# SPDX-License-Identifier: Apache-2.0
"""One http.client connection for all, closed when it fails."""
import http.client
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

source = http.client.HTTPConnection("127.0.0.1", int(os.environ["PEER_PORT"]), timeout=0.5)


class Front(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            source.request("GET", self.path)
            status, body = 200, source.getresponse().read()
        except (OSError, http.client.HTTPException) as exc:
            self.log_error("source failed: %r", exc)
            source.close()
            status, body = 503, b'{"error": "unavailable"}'
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Front).serve_forever()
