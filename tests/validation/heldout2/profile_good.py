# SPDX-License-Identifier: Apache-2.0
"""Profiles are computed, and kept in redis for a minute, if there is a redis."""
import json
import logging
import os

from fastapi import FastAPI
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

app = FastAPI()
log = logging.getLogger("profile")
cache = Redis.from_url(os.environ["REDIS_URL"], decode_responses=True, socket_timeout=0.5,
                       socket_connect_timeout=0.5, retry=Retry(NoBackoff(), 0))


async def compute(user: int) -> dict:
    return {"user": user, "name": f"user {user}", "badges": list(range(user % 7))}


@app.get("/profile/{user}")
async def profile(user: int):
    try:
        if (known := await cache.get(f"profile:{user}")) is not None:
            return json.loads(known)
    except RedisError:
        log.warning("profile cache could not be read", exc_info=True)
        return await compute(user)
    fresh = await compute(user)
    try:
        await cache.set(f"profile:{user}", json.dumps(fresh), ex=60)
    except RedisError:
        log.warning("profile cache could not be written", exc_info=True)
    return fresh
