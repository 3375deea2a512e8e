# SPDX-License-Identifier: Apache-2.0
"""The same page; the cache is a help and its absence is logged, not served."""
import logging
import os

import redis
from fastapi import FastAPI

log = logging.getLogger("uvicorn.error")
app = FastAPI()
cache = redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, decode_responses=True)


def render(name):
    return f"<h1>{name}</h1>"


@app.get("/page/{name}")
def page(name: str):
    try:
        text = cache.get(f"page:{name}")
        if text is None:
            text = render(name)
            cache.setex(f"page:{name}", 30, text)
    except redis.RedisError as exc:
        log.warning("cache down, rendering: %r", exc)
        text = render(name)
    return {"html": text}
