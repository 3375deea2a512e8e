# SPDX-License-Identifier: Apache-2.0
"""Flask and a redis cache with no timeout: when redis hangs, so does every page."""
import os

import redis
from flask import Flask

app = Flask(__name__)
cache = redis.from_url(os.environ["REDIS_URL"])


@app.get("/page/<name>")
def page(name):
    text = cache.get(f"page:{name}")
    if text is None:
        text = f"<h1>{name}</h1>"
        cache.set(f"page:{name}", text, ex=30)
    return text


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
