# SPDX-License-Identifier: Apache-2.0
"""A box office in a small container: eighty descriptors, and a thread for each who asks."""
import json
import logging
import os
import resource
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

resource.setrlimit(resource.RLIMIT_NOFILE, (80, 80))
MOST = threading.BoundedSemaphore(1000)


class Office(BaseHTTPRequestHandler):
    timeout = 10

    def do_GET(self):
        if not MOST.acquire(blocking=False):
            self.say(503, {"error": "sold out for the moment"})
            return
        try:
            with urllib.request.urlopen(os.environ["PEER"] + "/seat" + self.path, timeout=8) as answer:
                self.say(200, json.load(answer))
        except (OSError, urllib.error.URLError) as exc:
            logging.warning("hall %s: %r", os.environ["PEER"], exc)
            self.say(503, {"error": "the hall does not answer"})
        finally:
            MOST.release()

    def say(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status == 503:
            self.send_header("Retry-After", "2")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


ThreadingHTTPServer.daemon_threads = True
ThreadingHTTPServer.request_queue_size = 64
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Office).serve_forever()
