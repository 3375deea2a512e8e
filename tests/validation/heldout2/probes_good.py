# SPDX-License-Identifier: Apache-2.0
"""Alive while it answers, ready while its redis does."""
import logging
import os

import redis.asyncio as redis
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from redis.exceptions import RedisError

app = FastAPI()
store = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, retry=None)


@app.get("/livez")
async def livez():
    return {"alive": True}


@app.get("/readyz")
async def readyz():
    try:
        await store.ping()
    except RedisError:
        logging.exception("readyz")
        return JSONResponse({"ready": False}, 503, headers={"Retry-After": "2"})
    return {"ready": True}


@app.get("/counter")
async def counter():
    try:
        return {"counter": await store.incr("counter")}
    except RedisError:
        logging.exception("counter")
        return JSONResponse({"error": "no counter"}, 503, headers={"Retry-After": "2"})
