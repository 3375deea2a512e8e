# SPDX-License-Identifier: Apache-2.0
"""http.server that asks its source over one http.client connection a request; nothing ever fails here."""
import http.client
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Front(BaseHTTPRequestHandler):
    def do_GET(self):
        source = http.client.HTTPConnection("127.0.0.1", int(os.environ["PEER_PORT"]))
        try:
            source.request("GET", self.path)
            body = source.getresponse().read()
            status = 200
        except OSError as exc:
            self.log_error("source failed: %r", exc)
            status, body = 503, b"{}"
        finally:
            source.close()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Front).serve_forever()
