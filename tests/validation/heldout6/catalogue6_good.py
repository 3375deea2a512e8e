# SPDX-License-Identifier: Apache-2.0
"""Articles of a catalogue: two seconds in redis, then asked for again."""
import json
import logging
import os

import httpx
import redis.asyncio as redis
from fastapi import FastAPI
from redis.backoff import NoBackoff
from redis.asyncio.retry import Retry

app = FastAPI()
log = logging.getLogger("catalogue")
client = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=2)
cache = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=0.5, socket_connect_timeout=0.5,
                             retry=Retry(NoBackoff(), 0))


async def look(key):
    try:
        return await cache.get(key)
    except redis.RedisError as exc:
        log.warning("cache, reading %s", key, exc_info=exc)
        return None


async def keep(key, value):
    try:
        await cache.set(key, value, ex=2)
    except redis.RedisError as exc:
        log.warning("cache, writing %s", key, exc_info=exc)


@app.get("/article/{article}")
async def show(article: int):
    kept = await look(f"article:{article}")
    if kept:
        return json.loads(kept)
    value = (await client.get(f"/articles/{article}")).json()
    await keep(f"article:{article}", json.dumps(value))
    return value
