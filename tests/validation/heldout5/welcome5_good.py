# SPDX-License-Identifier: Apache-2.0
"""Who signs up gets a letter."""
import logging
import os
import smtplib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Letters:
    def __init__(self, port):
        self.port = port

    def send(self, guest):
        with smtplib.SMTP("127.0.0.1", self.port, timeout=2) as post:
            post.sendmail("house@example.org", [f"{guest}@example.org"], "Subject: welcome\n\nCome in.")


class Desk(BaseHTTPRequestHandler):
    letters = Letters(int(os.environ["SMTP_PORT"]))

    def do_POST(self):
        try:
            self.letters.send(self.path.rpartition("/")[2])
        except (OSError, smtplib.SMTPException) as exc:
            logging.error("letter for %s: %r", self.path, exc)
            return self.answer(503, b'{"error": "no letters now"}')
        self.answer(200, b'{"welcome": true, "letter": "is on its way"}')

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Desk).serve_forever()
