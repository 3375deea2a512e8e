# SPDX-License-Identifier: Apache-2.0
"""http.server; a sign-up is put in a queue of bounded length, a thread tells the mailing peer."""
import logging
import os
import queue
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

waiting = queue.Queue(100)


def tell():
    while True:
        body = waiting.get()
        try:
            with urllib.request.urlopen(os.environ["PEER"] + "/welcome", body, timeout=3):
                pass
        except OSError:
            logging.exception("no welcome for %s", body)


class Front(BaseHTTPRequestHandler):
    def do_POST(self):
        try:
            waiting.put_nowait(self.path.encode())
            self.send_response(202)
        except queue.Full:
            self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()


threading.Thread(target=tell, daemon=True).start()
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Front).serve_forever()
