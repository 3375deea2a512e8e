# SPDX-License-Identifier: Apache-2.0
"""T7: a healthy application, no fault at all: nothing may be found, and nothing is proved."""
import os

import httpx
import redis
from fastapi import FastAPI, HTTPException

app = FastAPI()
peer = httpx.Client(base_url=os.environ["PEER"], timeout=1)
store = redis.from_url(os.environ["REDIS_URL"], socket_timeout=1)


@app.get("/item/{number}")
def item(number: int):
    if number > 4:
        raise HTTPException(404, "no such item")
    return {"item": peer.get("/json").json(), "seen": store.incr(f"seen:{number}")}
