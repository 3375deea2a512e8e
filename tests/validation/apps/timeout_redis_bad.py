# SPDX-License-Identifier: Apache-2.0
"""redis-py with its defaults, which have no timeout, under gunicorn."""
import os

import redis
from flask import Flask

app = Flask(__name__)
store = redis.from_url(os.environ["REDIS_URL"])


@app.get("/name/<user>")
def name(user):
    return {"name": (store.hget("names", user) or b"?").decode()}
