# SPDX-License-Identifier: Apache-2.0
"""Flask; a retry decorator of its own around a function that has one already: four times four."""
import os
import random
import time

import urllib3
from flask import Flask

app = Flask(__name__)
pool = urllib3.PoolManager(retries=False, timeout=1)


def again(times):
    def wrap(call):
        def inner(*args):
            for left in range(times - 1, -1, -1):
                try:
                    return call(*args)
                except urllib3.exceptions.HTTPError as exc:
                    app.logger.warning("%s: %r", call.__name__, exc)
                    if not left:
                        raise
                    time.sleep(random.uniform(0.06, 0.2))
        return inner
    return wrap


@again(4)
def fetch(path):
    return pool.request("GET", os.environ["PEER"] + path).data


@app.get("/offer/<name>")
def offer(name):
    try:
        return again(4)(fetch)(f"/offer/{name}")
    except urllib3.exceptions.HTTPError:
        return {"error": "unavailable"}, 503


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
