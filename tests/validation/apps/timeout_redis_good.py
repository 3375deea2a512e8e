# SPDX-License-Identifier: Apache-2.0
"""redis-py with both timeouts."""
import os

import redis
from flask import Flask

app = Flask(__name__)
store = redis.from_url(os.environ["REDIS_URL"], socket_timeout=0.5, socket_connect_timeout=0.5)


@app.get("/name/<user>")
def name(user):
    try:
        return {"name": (store.hget("names", user) or b"?").decode()}
    except redis.RedisError as exc:
        app.logger.warning("name unknown: %r", exc)
        return {"error": "try later"}, 503, {"Retry-After": "2"}
