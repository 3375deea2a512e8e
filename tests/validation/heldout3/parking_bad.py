# SPDX-License-Identifier: Apache-2.0
"""Places that are free, counted in redis; three workers."""
import logging
import os
import random
import time

import redis
from flask import Flask, abort

app = Flask(__name__)
log = logging.getLogger("parking")
store = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1)


def pause(attempt):
    return 0.1 * 2 ** attempt


@app.post("/enter/<int:garage>")
def enter(garage):
    for attempt in range(4):
        try:
            return {"entered": store.incr(f"garage:{garage}")}
        except redis.ConnectionError as exc:
            log.warning("try %d: %s", attempt, exc)
            if attempt < 3:
                time.sleep(pause(attempt))
    abort(503)
