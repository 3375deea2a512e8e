# SPDX-License-Identifier: Apache-2.0
"""Says that it is well, whatever happens."""
import logging
import os

import redis
from flask import Flask, jsonify

app = Flask(__name__)
store = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1)


@app.get("/health")
def health():
    return {"status": "UP"}


@app.get("/seat/<int:n>")
def seat(n):
    try:
        return jsonify(taken=store.incr(f"seat:{n}"))
    except redis.RedisError:
        logging.exception("seat %d", n)
        return jsonify(error="no seats"), 503, {"Retry-After": "9"}
