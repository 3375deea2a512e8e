# SPDX-License-Identifier: Apache-2.0
"""A worker that asks its store for the settings when it is loaded, once."""
import os

import redis
from flask import Flask

app = Flask(__name__)
store = redis.from_url(os.environ["REDIS_URL"], socket_timeout=1)
settings = {"greeting": store.get("greeting") or b"hello"}


@app.route("/hello")
def hello():
    return {"say": settings["greeting"].decode()}
