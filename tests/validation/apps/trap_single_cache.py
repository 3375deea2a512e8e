# SPDX-License-Identifier: Apache-2.0
"""Pages with a cache of one server: a cache may be missed, so it is no single point of anything."""
import os

import redis
from flask import Flask

app = Flask(__name__)
cache = redis.from_url(os.environ["REDIS_URL"], socket_timeout=1)


@app.get("/page/<name>")
def page(name):
    try:
        text = cache.get(f"page:{name}") or name.upper().encode()
        cache.set(f"page:{name}", text, ex=30)
        return text
    except redis.RedisError as exc:
        app.logger.warning("cache away: %r", exc)
        return {"error": "busy"}, 503, {"Retry-After": "2"}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
