# SPDX-License-Identifier: Apache-2.0
"""A script's habits in a server: failures are printed to stdout, which is a log, too."""
import os

import redis
from flask import Flask

app = Flask(__name__)
store = redis.from_url(os.environ["REDIS_URL"], socket_timeout=1)


@app.get("/likes/<page>")
def likes(page):
    try:
        return {"likes": int(store.get(f"likes:{page}") or 0)}
    except redis.exceptions.ConnectionError as exc:
        print(f"cannot count likes: {type(exc).__name__}: {exc}", flush=True)
        return {"likes": None, "degraded": ["likes"]}
