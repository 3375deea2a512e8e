# SPDX-License-Identifier: Apache-2.0
"""Who is online; when redis cannot say, the log does and the answer admits it."""
import os

import redis
from flask import Flask

app = Flask(__name__)
store = redis.from_url(os.environ["REDIS_URL"], socket_timeout=1)


@app.get("/online/<user>")
def online(user):
    try:
        return {"online": store.get(f"seen:{user}") is not None}
    except redis.RedisError as exc:
        app.logger.warning("presence unknown: %r", exc)
        return {"online": None}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
