# SPDX-License-Identifier: Apache-2.0
"""Says nothing of time: both clients have limits of their own, five seconds each."""
import logging
import os

import httpx
import redis
from flask import Flask, jsonify

app = Flask(__name__)
http = httpx.Client(base_url=os.environ["PEER"])
store = redis.Redis.from_url(os.environ["REDIS_URL"])


@app.errorhandler(httpx.HTTPError)
@app.errorhandler(redis.RedisError)
def down(exc):
    logging.error("a dependency of ours", exc_info=exc)
    return jsonify(error="try again"), 503, {"Retry-After": "5"}


@app.get("/both/<int:n>")
def both(n):
    return {"seen": store.incr(f"seen:{n}"), "value": http.get(f"/both/{n}").json()}
