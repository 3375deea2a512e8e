# SPDX-License-Identifier: Apache-2.0
"""Exports take a second or two. On SIGTERM it takes no more, and waits for what is under way."""
import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import urlopen


class Export(BaseHTTPRequestHandler):
    def do_GET(self):
        with urlopen(os.environ["PEER"] + self.path, timeout=4) as answer:
            body = answer.read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True


with Server(("127.0.0.1", int(os.environ["PORT"])), Export) as server:
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()
