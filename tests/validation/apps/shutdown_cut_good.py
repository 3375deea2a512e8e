# SPDX-License-Identifier: Apache-2.0
"""SIGTERM ends the taking of new requests; those that were begun are answered first."""
import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests


class Shop(BaseHTTPRequestHandler):
    def do_GET(self):
        body = requests.get(os.environ["PEER"] + "/json", timeout=3).content
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = False  # server_close() waits for them


if __name__ == "__main__":
    with Server(("127.0.0.1", int(os.environ["PORT"])), Shop) as server:
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
        server.serve_forever()
