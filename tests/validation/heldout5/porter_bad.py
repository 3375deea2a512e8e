# SPDX-License-Identifier: Apache-2.0
"""A porter notes everybody who passes, in a log of his own."""
import logging
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

notes = logging.getLogger("notes")
notes.setLevel(logging.INFO)
notes.propagate = False
book = logging.FileHandler(os.path.join(os.environ["DATA"], "porter.log"))


def open_book():
    notes.addHandler(book)


class Door(BaseHTTPRequestHandler):
    def do_GET(self):
        notes.info("%s passes to %s", self.client_address[0], self.path)
        body = b'{"door": "is open", "come": "in"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


open_book()
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Door).serve_forever()
