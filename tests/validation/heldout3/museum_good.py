# SPDX-License-Identifier: Apache-2.0
"""Works of a collection, behind a breaker of one's own."""
import json
import logging
import os
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

log = logging.getLogger("museum")


class Closed(Exception):
    pass


class Breaker:
    def __init__(self, most=4, pause=3):
        self.most, self.pause, self.failures, self.until = most, pause, 0, 0.0

    def call(self, function, *args):
        if time.monotonic() < self.until:
            raise Closed
        try:
            ret = function(*args)
        except urllib.error.HTTPError as exc:
            if exc.code >= 500:
                self.failed()
            raise
        except OSError:
            self.failed()
            raise
        self.failures = 0
        return ret

    def failed(self):
        self.failures += 1
        if self.failures >= self.most:
            self.failures, self.until = 0, time.monotonic() + self.pause


breaker = Breaker()


def work(path):
    with urllib.request.urlopen(os.environ["PEER"] + path, timeout=2) as answer:
        return json.load(answer)


class Museum(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            status, said = 200, breaker.call(work, self.path)
        except Closed:
            status, said = 503, {"error": "collection_down"}
        except urllib.error.HTTPError as exc:
            status, said = exc.code, {"error": "no such work"}
        except OSError as exc:
            log.warning("the collection is away", exc_info=exc)
            status, said = 503, {"error": "collection_down"}
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Museum).serve_forever()
