# SPDX-License-Identifier: Apache-2.0
"""Reads a greeting from redis with a client per request; the clean-up counts on a reply that may not exist."""
import os

import redis
from flask import Flask

app = Flask(__name__)


@app.get("/greeting/<int:user>")
def greeting(user):
    client = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1)
    try:
        count = client.incr(f"greetings:{user}")
    finally:
        app.logger.debug("greeting %d of %d", count, user)
        client.close()
    return f"hello for the {count}. time\n"
