# SPDX-License-Identifier: Apache-2.0
"""T1: a consumer that waits for work, as it must; the thread and its socket are idle by design."""
import os
import threading

import redis
from fastapi import FastAPI

app = FastAPI()
jobs = redis.from_url(os.environ["REDIS_URL"])


def consume():
    while True:
        jobs.blpop("jobs", timeout=0)


threading.Thread(target=consume, daemon=True).start()


@app.get("/version")
def version():
    return {"version": 1}
