# SPDX-License-Identifier: Apache-2.0
"""The same question; two attempts, then the refusal says when to ask again."""
import logging
import os
import random
import time

import redis
from fastapi import FastAPI, HTTPException

log = logging.getLogger("uvicorn.error")
app = FastAPI()


@app.get("/queue")
def queue():
    for attempt in range(2):
        store = redis.from_url(os.environ["REDIS_URL"], socket_timeout=1)
        try:
            return {"waiting": store.llen("queue")}
        except redis.ConnectionError as exc:
            log.warning("queue length, attempt %d: %r", attempt, exc)
            time.sleep(random.uniform(0.1, 0.3))
        finally:
            store.connection_pool.disconnect()
    raise HTTPException(503, "queue unknown", headers={"Retry-After": "2"})
