# SPDX-License-Identifier: Apache-2.0
"""A shop: articles (kept in redis), checkout (a bank), a banner (a file)."""
import json
import logging
import os

import httpx
import redis.asyncio as redis
import stamina
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

app, log = FastAPI(), logging.getLogger("shop")
client = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=2)
cache = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=0.5, socket_connect_timeout=0.5,
                             retry=Retry(NoBackoff(), 0))
BANNER = os.path.join(os.environ["DATA"], "banner.json")


@app.exception_handler(httpx.TransportError)
@app.exception_handler(OSError)
async def down(request: Request, exc: Exception):
    log.error("%s", request.url.path, exc_info=exc)
    return JSONResponse({"error": "try again later"}, 503, headers={"Retry-After": "5"})


async def cached(work):
    try:
        return await work
    except redis.RedisError as exc:
        log.warning("cache", exc_info=exc)


@app.get("/article/{article}")
async def show(article: int):
    kept = await cached(cache.get(f"article:{article}"))
    value = json.loads(kept) if kept else (await client.get(f"/articles/{article}")).json()
    await cached(cache.set(f"article:{article}", json.dumps(value), ex=2))
    return value


@app.post("/checkout/{order}")
@stamina.retry(on=httpx.TransportError, attempts=2, wait_initial=0.1)
async def checkout(order: int):
    answer = await client.post("/charges", json={"order": order}, headers={"Idempotency-Key": f"order-{order}"})
    return {"order": order, **answer.json()}


@app.put("/banner/{number}")
def banner(number: int):
    fresh = f"{BANNER}.{number}"
    with open(fresh, "w") as out:
        json.dump({"banner": number, "text": "sale " * 400}, out)
        out.flush()
        os.fsync(out.fileno())
    os.replace(fresh, BANNER)
    return {"banner": number}
