# SPDX-License-Identifier: Apache-2.0
"""Tickets are written by os.write, without a buffer between."""
import logging
import os
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def put(handle, text):
    os.write(handle, text)


def ticket(seat):
    name = os.path.join(os.environ["DATA"], f"{seat}-{uuid.uuid4().hex}")
    handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        put(handle, b"seat %s, row 4, the evening show, no refunds\n" % seat.encode())
    finally:
        os.close(handle)


class Office(BaseHTTPRequestHandler):
    def do_POST(self):
        try:
            ticket(self.path.rpartition("/")[2])
            status, body = 200, b'{"printed": true, "show": "evening"}'
        except OSError as exc:
            logging.error("ticket %s: %r", self.path, exc)
            status, body = 507, b'{"error": "no paper"}'
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Office).serve_forever()
