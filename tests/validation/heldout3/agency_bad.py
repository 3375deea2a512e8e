# SPDX-License-Identifier: Apache-2.0
"""A travel agency in two services: who is asked asks the second one, and that the airline."""
import json
import logging
import os
import random
import subprocess
import sys
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = int(os.environ["PORT"])
log = logging.getLogger("agency")


def fetch(url, tries):
    for attempt in range(tries):
        try:
            with urllib.request.urlopen(url, timeout=4) as answer:
                return json.load(answer)
        except OSError as exc:
            log.warning("%s: %s", url, exc)
            last = exc
            if attempt + 1 < tries:
                time.sleep(random.uniform(0.06, 0.2) * 2 ** attempt)
    raise last


def handler(upstream, tries):
    class Service(BaseHTTPRequestHandler):
        def do_GET(self):
            try:
                status, said = 200, fetch(upstream + self.path, tries)
            except OSError:
                status, said = 503, {"error": "airline_down"}
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass
    return Service


if sys.argv[1:] == ["booking"]:
    ThreadingHTTPServer(("127.0.0.1", PORT + 1), handler(os.environ["PEER"], 3)).serve_forever()
with subprocess.Popen([sys.executable, __file__, "booking"]) as booking:
    time.sleep(0.5)
    try:
        ThreadingHTTPServer(("127.0.0.1", PORT), handler(f"http://127.0.0.1:{PORT + 1}", 3)).serve_forever()
    finally:
        booking.terminate()
