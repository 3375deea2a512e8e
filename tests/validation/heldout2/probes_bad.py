# SPDX-License-Identifier: Apache-2.0
"""Its liveness is that of its redis, so that an orchestrator restarts it for nothing."""
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
    try:
        await store.ping()
    except RedisError:
        logging.exception("livez")
        return JSONResponse({"alive": False}, 500)
    return {"alive": True}


@app.get("/counter")
async def counter():
    try:
        return {"counter": await store.incr("counter")}
    except RedisError:
        logging.exception("counter")
        return JSONResponse({"error": "no counter"}, 503, headers={"Retry-After": "2"})
