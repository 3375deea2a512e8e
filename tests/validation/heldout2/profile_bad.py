# SPDX-License-Identifier: Apache-2.0
"""Profiles are computed, and kept in redis for a minute."""
import json
import os
from typing import Annotated

from fastapi import Depends, FastAPI
from redis.asyncio import Redis

app = FastAPI()
shared = Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)


def cache() -> Redis:
    return shared


async def compute(user: int) -> dict:
    return {"user": user, "name": f"user {user}", "badges": list(range(user % 7))}


@app.get("/profile/{user}")
async def profile(user: int, cache: Annotated[Redis, Depends(cache)]):
    if (known := await cache.get(f"profile:{user}")) is not None:
        return json.loads(known)
    fresh = await compute(user)
    await cache.set(f"profile:{user}", json.dumps(fresh), ex=60)
    return fresh
