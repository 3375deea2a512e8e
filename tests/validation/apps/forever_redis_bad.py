# SPDX-License-Identifier: Apache-2.0
"""A request that waits for redis to come back, ten milliseconds at a time, as long as it takes."""
import os
import time

import redis
from fastapi import FastAPI

app = FastAPI()


@app.get("/queue")
def queue():
    while True:
        store = redis.from_url(os.environ["REDIS_URL"], socket_timeout=1)
        try:
            return {"waiting": store.llen("queue")}
        except redis.ConnectionError:
            time.sleep(0.01)
        finally:
            store.close()
            store.connection_pool.disconnect()
