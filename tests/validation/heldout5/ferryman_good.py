# SPDX-License-Identifier: Apache-2.0
"""A fuse that is put in again after two seconds, for everybody at once."""
import logging
import os
import threading
import time
import urllib.request

from flask import Flask, jsonify

app, lock = Flask(__name__), threading.Lock()
fuse, PROBES = {"failed": 0, "until": 0.0, "probes": 0}, 2


def may_ask():
    with lock:
        if fuse["failed"] >= 5:
            if time.monotonic() < fuse["until"] or fuse["probes"] >= PROBES:
                return False
            fuse["probes"] += 1
        return True


@app.route("/cross/<int:number>")
def cross(number):
    if not may_ask():
        return jsonify(error="the ferry rests"), 503
    try:
        with urllib.request.urlopen(f"{os.environ['PEER']}/cross/{number}", timeout=0.6) as answer:
            fuse.update(failed=0, probes=0)
            return jsonify(crossed=answer.read().decode())
    except OSError as exc:
        logging.error("other side at %s: %r", os.environ["PEER"], exc)
        fuse.update(failed=fuse["failed"] + 1, until=time.monotonic() + 2, probes=0)
        return jsonify(error="no way across"), 503
