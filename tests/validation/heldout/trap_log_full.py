# SPDX-License-Identifier: Apache-2.0
"""http.server; its log is on a disk that is full for a while. Requests do not mind."""
import logging
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

logging.basicConfig(filename=os.path.join(os.environ["DATA"], "access.log"), level=logging.INFO)


class Front(BaseHTTPRequestHandler):
    def do_GET(self):
        logging.info("asked for %s", self.path)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *args):
        pass


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Front).serve_forever()
