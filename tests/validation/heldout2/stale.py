# SPDX-License-Identifier: Apache-2.0
"""Quotas out of redis, where another program writes them with a time to live; the last known one serves when redis is away."""
import logging
import os
import threading
import time

import redis
from flask import Flask, jsonify

app = Flask(__name__)
store = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=0.4, socket_connect_timeout=0.4)
known, lock = {}, threading.Lock()


@app.get("/quota/<int:team>")
def quota(team):
    key, stale = f"quota:{team}", False
    try:
        value = store.get(key)
        if value is None:
            value = str(1000 + team)
            store.setex(key, 30, value)
        with lock:
            known[key] = (int(value), time.time())
    except redis.RedisError as exc:
        logging.warning("quota of %s is an old one: %s", team, exc, exc_info=True)
        stale = True
    with lock:
        value, since = known.get(key, (1000, 0))
    return jsonify(team=team, quota=value), 200, {"Warning": '110 - "stale"'} if stale else {}


if __name__ == "__main__":
    from werkzeug.serving import make_server
    make_server("127.0.0.1", int(os.environ["PORT"]), app, threaded=True).serve_forever()
