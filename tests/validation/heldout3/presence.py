# SPDX-License-Identifier: Apache-2.0
"""Who is there. A failure is counted, by name, at statsd; there is no other log."""
import os
import socket

import redis
from flask import Flask

app = Flask(__name__)
store = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1)
metrics = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def count(what):
    metrics.sendto(f"presence.{what}:1|c".encode(), ("127.0.0.1", 8125))


@app.get("/online/<user>")
def online(user):
    try:
        seen = bool(store.sismember("online", user))
    except redis.RedisError as exc:
        count(f"redis.{type(exc).__name__}")
        seen = None
    return {"user": user, "online": seen}
