# SPDX-License-Identifier: Apache-2.0
"""Four workers; a failed look-up is made again soon, three times at most, after pauses that are drawn anew."""
import os
import random
import time

import redis
from flask import Flask, jsonify

app = Flask(__name__)


@app.get("/session/<int:n>")
def session(n):
    for attempt in range(3):
        if attempt:
            time.sleep(random.uniform(0.06, 0.4))
        try:
            with redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1) as store:
                return jsonify(visits=store.incr(f"session:{n}"))
        except redis.ConnectionError as exc:
            app.logger.warning("session %d, attempt %d: %s", n, attempt, exc)
    return jsonify(error="sessions unavailable"), 503, {"Retry-After": "2"}
