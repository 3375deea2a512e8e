# SPDX-License-Identifier: Apache-2.0
"""A page cached for 30 seconds in redis; without the cache there is no page."""
import os

import redis
from fastapi import FastAPI

app = FastAPI()
cache = redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, decode_responses=True)


def render(name):
    return f"<h1>{name}</h1>"


@app.get("/page/{name}")
def page(name: str):
    text = cache.get(f"page:{name}")
    if text is None:
        text = render(name)
        cache.setex(f"page:{name}", 30, text)
    return {"html": text}
