# SPDX-License-Identifier: Apache-2.0
"""A child serves and writes; when it cannot write it gives up, and is begun anew."""
import http.server
import logging
import multiprocessing
import os
import time
import uuid


class Scribe(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        status, body = 200, b'{"written": true, "by": "the scribe"}'
        try:
            with open(os.path.join(os.environ["DATA"], uuid.uuid4().hex), "x") as page:
                page.write("what was said\n" * 9)
        except OSError as exc:
            logging.critical("cannot write: %r", exc)
            status, body = give_up()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def give_up():
    os._exit(3)


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Scribe)
    while True:
        child = multiprocessing.Process(target=server.serve_forever)
        child.start()
        child.join()
        time.sleep(0.4)
