# SPDX-License-Identifier: Apache-2.0
"""Sixteen at a time; who comes then is sent away at once."""
import logging
import os
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

beds = threading.Semaphore(16)
FREE = ["/health"]


class Ward(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path in FREE:
            return self.answer(200, b'{"health": "fine", "beds": 16}')
        if not beds.acquire(blocking=False):
            return self.answer(503, b'{"error": "full"}')
        try:
            self.answer(200, self.visit())
        except OSError as exc:
            logging.error("doctor at %s: %r", os.environ["PEER"], exc)
            self.answer(502, b'{"error": "no doctor"}')
        finally:
            beds.release()

    def visit(self):
        if self.path == "/health":
            return b'{"health": "fine", "beds": 16}'
        with urllib.request.urlopen(os.environ["PEER"] + self.path, timeout=6) as answer:
            return answer.read()

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Retry-After", "2") if status == 503 else None
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Ward).serve_forever()
