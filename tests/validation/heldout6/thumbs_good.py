# SPDX-License-Identifier: Apache-2.0
"""Tags of pictures, out of redis."""
import logging
import os

import redis.asyncio as redis
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

app = FastAPI()
log = logging.getLogger("tags")
store = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=2, socket_connect_timeout=1)


@app.exception_handler(redis.RedisError)
async def store_down(request: Request, exc: redis.RedisError):
    log.error("store, %s", request.url.path, exc_info=exc)
    return JSONResponse({"error": "store unavailable"}, 503, headers={"Retry-After": "5"})


@app.get("/tag/{picture}")
async def tag(picture: int):
    seen = await store.incr(f"seen:{picture}")
    return {"picture": picture, "seen": seen}


@app.get("/about")
async def about():
    return {"service": "tags"}
