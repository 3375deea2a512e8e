# SPDX-License-Identifier: Apache-2.0
"""Shocks are handed to a collector; those that it does not take are kept and tried later."""
import collections
import logging
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

kept = collections.deque(maxlen=40)


def later():
    while True:
        time.sleep(1)
        try:
            while kept:
                requests.put(os.environ["PEER"] + "/shock", kept[0], timeout=1)
                kept.popleft()
        except OSError as exc:
            logging.warning("%d shocks wait: %r", len(kept), exc)


class Station(BaseHTTPRequestHandler):
    def do_POST(self):
        shock = os.urandom(40000)
        try:
            requests.put(os.environ["PEER"] + "/shock", shock, timeout=1)
        except OSError as exc:
            logging.warning("collector %s: %r", os.environ["PEER"], exc)
            kept.append(shock)
        self.send_response(202)
        self.end_headers()


threading.Thread(target=later, daemon=True).start()
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Station).serve_forever()
