# SPDX-License-Identifier: Apache-2.0
"""A counter that lives in redis only: redis is the store here, not a cache. Nothing is caught."""
import os

import redis
from flask import Flask

app = Flask(__name__)
store = redis.from_url(os.environ["REDIS_URL"], socket_timeout=1)


@app.route("/visit/<page>")
def visit(page):
    return {"visits": store.incr(f"visits:{page}")}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
