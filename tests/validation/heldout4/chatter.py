# SPDX-License-Identifier: Apache-2.0
"""Waits for redis in small steps, and says so at each."""
import logging
import os
import time

import redis
from flask import Flask, jsonify

app = Flask(__name__)
store = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1)


def patiently(key):
    for step in range(40):
        try:
            return store.incr(key)
        except redis.ConnectionError as exc:
            logging.error("redis is not there yet, step %d: %r", step, exc)
            time.sleep(0.02)
    raise TimeoutError(key)


@app.route("/turn/<int:desk>")
def turn(desk):
    try:
        patiently(f"desk:{desk}")
        return jsonify(desk=desk)
    except TimeoutError:
        return jsonify(error="no turns now"), 503


app.run(port=int(os.environ["PORT"]), threaded=True)
