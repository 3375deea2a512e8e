# SPDX-License-Identifier: Apache-2.0
"""Who is online, asked of redis; suppress() makes every failure look like nobody."""
import contextlib
import os

import redis
from flask import Flask

app = Flask(__name__)
store = redis.from_url(os.environ["REDIS_URL"], socket_timeout=1)


@app.get("/online/<user>")
def online(user):
    seen = None
    with contextlib.suppress(redis.RedisError):
        seen = store.get(f"seen:{user}")
    return {"online": seen is not None}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
