# SPDX-License-Identifier: Apache-2.0
"""Court bookings. The partner allows two calls at a time."""
import json
import logging
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

slots = threading.BoundedSemaphore(2)


class Full(Exception):
    pass


class Partner:
    session = requests.Session()

    def book(self, court):
        slots.acquire()
        try:
            answer = self.session.get(os.environ["PEER"] + "/court" + court, timeout=(1, 18))
            answer.raise_for_status()
            return answer.json()
        finally:
            slots.release()


class Desk(BaseHTTPRequestHandler):
    partner = Partner()

    def do_GET(self):
        try:
            self.say(200, self.partner.book(self.path))
        except Full:
            self.say(503, {"error": "busy"})
        except requests.RequestException as exc:
            logging.warning("partner %s failed", os.environ["PEER"], exc_info=exc)
            self.say(503, {"error": "partner is down"})

    def say(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status == 503:
            self.send_header("Retry-After", "10")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


ThreadingHTTPServer.daemon_threads = True
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Desk).serve_forever()
