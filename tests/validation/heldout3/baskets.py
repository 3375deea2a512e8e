# SPDX-License-Identifier: Apache-2.0
"""Baskets live in redis and nowhere else: without it there is nothing to say."""
import logging
import os

import redis
from flask import Flask, jsonify

app = Flask(__name__)
log = logging.getLogger("baskets")
store = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1)


@app.errorhandler(redis.RedisError)
def no_store(exc):
    log.error("no baskets", exc_info=exc)
    return jsonify(error="baskets_down"), 503, {"Retry-After": "3"}


@app.post("/basket/<user>/<sku>")
def put(user, sku):
    return {"pieces": store.hincrby(f"basket:{user}", sku, 1)}


@app.get("/basket/<user>")
def show(user):
    return {key.decode(): int(n) for key, n in store.hgetall(f"basket:{user}").items()}
