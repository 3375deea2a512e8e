# SPDX-License-Identifier: Apache-2.0
"""Appends events to a log that is durable when it says so."""
import logging
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATH = os.path.join(os.environ["DATA"], "events.wal")


class Events(BaseHTTPRequestHandler):
    def do_POST(self):
        event = self.rfile.read(int(self.headers["Content-Length"]))
        status = 204
        fd = os.open(PATH, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(fd, event + b"\n")
            os.fsync(fd)
        except OSError:
            logging.exception("event not durable in %s", PATH)
            status = 503
        finally:
            os.close(fd)
        self.send_response(status)
        self.end_headers()

    def log_message(self, *args):
        pass


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Events).serve_forever()
