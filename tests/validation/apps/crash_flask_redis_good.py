# SPDX-License-Identifier: Apache-2.0
"""The same counter; an error of the store is one place's business and a clear refusal."""
import os

import redis
from flask import Flask

app = Flask(__name__)
store = redis.from_url(os.environ["REDIS_URL"], socket_timeout=1)


@app.errorhandler(redis.RedisError)
def store_down(exc):
    app.logger.error("store unavailable", exc_info=exc)
    return {"error": "store unavailable"}, 503, {"Retry-After": "3"}


@app.route("/visit/<page>")
def visit(page):
    return {"visits": store.incr(f"visits:{page}")}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
