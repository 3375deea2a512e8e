# SPDX-License-Identifier: Apache-2.0
"""The same read with redis-py's own retry."""
import os

import redis
from flask import Flask
from redis.backoff import EqualJitterBackoff
from redis.retry import Retry

app = Flask(__name__)
store = redis.from_url(os.environ["REDIS_URL"], socket_timeout=1,
                       retry=Retry(EqualJitterBackoff(cap=0.5, base=0.1), 3),
                       retry_on_error=[redis.ConnectionError])


@app.get("/name/<user>")
def name(user):
    return {"name": (store.get(f"name:{user}") or b"?").decode()}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
