# SPDX-License-Identifier: Apache-2.0
"""Claims are put on a stream, for others to work on."""
import logging
import os

import redis.asyncio as redis
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

app = FastAPI()
log = logging.getLogger("claims")
stream = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1,
                              retry=Retry(NoBackoff(), 0))


async def put(claim):
    await stream.xadd("claims", {"claim": claim}, maxlen=10000)


@app.post("/claim/{claim}")
async def take(claim: int):
    try:
        await put(claim)
    except redis.RedisError as exc:
        log.error("claim %d", claim, exc_info=exc)
        return JSONResponse({"error": "claims cannot be taken"}, 503, headers={"Retry-After": "5"})
    return JSONResponse({"claim": claim, "status": "taken"}, 202)
