# SPDX-License-Identifier: Apache-2.0
"""A clerk tries three times, and the counter sends the clerk three times."""
import contextlib
import http.client
import logging
import os
import random
import time

from flask import Flask, jsonify

app = Flask(__name__)


class Clerk:
    def ask(self, path):
        line = http.client.HTTPConnection("127.0.0.1", int(os.environ["PEER_PORT"]), timeout=1)
        with contextlib.closing(line):
            line.request("GET", path)
            return line.getresponse().read().decode()

    def go(self, path):
        for left in (2, 1, 0):
            try:
                return self.ask(path)
            except OSError:
                if not left:
                    raise
                time.sleep(random.uniform(0.06, 0.15))


@app.route("/visa/<int:number>")
def visa(number):
    for turn in range(3):
        try:
            return jsonify(visa=number, text=Clerk().go(f"/visa/{number}"))
        except OSError as exc:
            logging.warning("turn %d: %r", turn, exc)
            time.sleep(random.uniform(0.06, 0.15))
    return jsonify(error="come back tomorrow"), 503
