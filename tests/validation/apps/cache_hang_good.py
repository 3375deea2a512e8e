# SPDX-License-Identifier: Apache-2.0
"""The same pages; the cache gets 200 ms, then the page is made without it."""
import os

import redis
from flask import Flask

app = Flask(__name__)
cache = redis.from_url(os.environ["REDIS_URL"], socket_timeout=0.2, socket_connect_timeout=0.2)


@app.get("/page/<name>")
def page(name):
    text = f"<h1>{name}</h1>"
    try:
        text = cache.get(f"page:{name}") or text
        cache.set(f"page:{name}", text, ex=30)
    except redis.RedisError as exc:
        app.logger.warning("cache unavailable: %r", exc)
    return text


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
