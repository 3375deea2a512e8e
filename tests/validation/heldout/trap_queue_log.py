# SPDX-License-Identifier: Apache-2.0
"""http.server; failures are logged by a listener in another thread, and answered with what is known."""
import logging
import logging.handlers
import os
import queue
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

lines = queue.Queue(1000)
logging.getLogger().addHandler(logging.handlers.QueueHandler(lines))
sink = logging.FileHandler(os.path.join(os.environ["DATA"], "app.log"))
logging.handlers.QueueListener(lines, sink).start()


class Front(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            with urllib.request.urlopen(os.environ["PEER"] + self.path, timeout=1) as answer:
                status, body = 200, answer.read()
        except OSError:
            logging.exception("peer failed for %s", self.path)
            status, body = 503, b'{"error": "unavailable"}'
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Front).serve_forever()
