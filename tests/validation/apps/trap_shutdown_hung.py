# SPDX-License-Identifier: Apache-2.0
"""At SIGTERM it gives what is being served three seconds more, and then leaves: what hangs is lost anyway."""
import os
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests


class Shop(BaseHTTPRequestHandler):
    def do_GET(self):
        body = requests.get(os.environ["PEER"] + "/json", timeout=20).content
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Shop)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()
    time.sleep(3)
    os._exit(0)
