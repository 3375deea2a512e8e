# SPDX-License-Identifier: Apache-2.0
"""Sessions in redis. A worker that has none is of no use."""
import logging
import os
import sys

import redis
from flask import Flask, abort

app = Flask(__name__)
log = logging.getLogger("signin")
store = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1)


@app.post("/signin/<user>")
def signin(user):
    try:
        return {"user": user, "visits": store.incr(f"visits:{user}")}
    except redis.RedisError as exc:
        log.critical("no redis", exc_info=exc)
        abort(503)


@app.get("/terms")
def terms():
    return "Be kind."
