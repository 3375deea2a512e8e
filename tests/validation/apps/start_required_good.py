# SPDX-License-Identifier: Apache-2.0
"""The same worker, which gives its store some time to be there."""
import logging
import os
import time

import redis
from flask import Flask

app = Flask(__name__)
store = redis.from_url(os.environ["REDIS_URL"], socket_timeout=1)


def load():
    for pause in (0.2, 0.5, 1, 1, 2, 2):
        try:
            return {"greeting": store.get("greeting") or b"hello"}
        except redis.RedisError as exc:
            logging.warning("no settings yet: %r", exc)
            time.sleep(pause)
    return {"greeting": store.get("greeting") or b"hello"}


settings = load()


@app.route("/hello")
def hello():
    return {"say": settings["greeting"].decode()}
