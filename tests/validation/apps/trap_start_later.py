# SPDX-License-Identifier: Apache-2.0
"""Settings are asked for when a worker is loaded; without them it starts all the same."""
import logging
import os

import redis
from flask import Flask

app = Flask(__name__)
store = redis.from_url(os.environ["REDIS_URL"], socket_timeout=1)
try:
    greeting = store.get("greeting") or b"hello"
except redis.RedisError as exc:
    logging.warning("no settings, going on with what is usual: %r", exc)
    greeting = b"hello"


@app.route("/hello")
def hello():
    return {"say": greeting.decode()}
