# SPDX-License-Identifier: Apache-2.0
"""Carts, kept in redis, which is their only home."""
import logging
import os

import redis.asyncio as redis
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

app = FastAPI()
log = logging.getLogger("carts")
store = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1,
                             retry=Retry(NoBackoff(), 0))


@app.exception_handler(redis.RedisError)
async def store_down(request: Request, exc: redis.RedisError):
    log.error("store, %s", request.url.path, exc_info=exc)
    return JSONResponse({"error": "store unavailable"}, 503, headers={"Retry-After": "5"})


@app.get("/cart/{cart}")
async def cart(cart: int):
    return {"cart": cart, "items": await store.hincrby("carts", cart, 1)}


@app.get("/health")
async def health():
    return {"status": "ok"}
