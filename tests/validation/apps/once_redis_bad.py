# SPDX-License-Identifier: Apache-2.0
"""A read from redis that is given up at the first broken connection."""
import os

import redis
from flask import Flask

app = Flask(__name__)
store = redis.from_url(os.environ["REDIS_URL"], socket_timeout=1)


@app.get("/name/<user>")
def name(user):
    return {"name": (store.get(f"name:{user}") or b"?").decode()}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
