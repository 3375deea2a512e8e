# SPDX-License-Identifier: Apache-2.0
"""The demo shop: a small FastAPI application as many are written.

Some of its calls are guarded and some are not, on purpose: a report on it has something true to
say in both directions. Which is which stands in README.md, not here, as in a real code base.
"""
import json
import logging
import os
import time

import httpx
import redis
import redis.asyncio
import requests
from fastapi import FastAPI, HTTPException
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
PRICING_URL = os.environ.get("PRICING_URL", "http://127.0.0.1:8001")
ORDERS_FILE = os.environ.get("ORDERS_FILE", "orders.jsonl")

CATALOGUE = {f"sku-{n}": {"sku": f"sku-{n}", "name": f"Teapot no. {n}"} for n in range(1, 21)}

log = logging.getLogger("uvicorn.error")
app = FastAPI(title="demo shop")
pages = redis.asyncio.from_url(REDIS_URL, decode_responses=True, socket_timeout=0.6,
                               socket_connect_timeout=0.6)
carts = redis.from_url(REDIS_URL, decode_responses=True)
pricing = httpx.Client(base_url=PRICING_URL, timeout=1.0)


@app.get("/health")
def health():
    return {"status": "ok"}


@app.get("/products/{sku}")
async def product(sku: str):
    if sku not in CATALOGUE:
        raise HTTPException(404, "no such product")
    try:
        page = await pages.get(f"page:{sku}")
        if page is None:
            page = json.dumps(CATALOGUE[sku])
            await pages.setex(f"page:{sku}", 2, page)
        return json.loads(page)
    except redis.RedisError as exc:
        log.warning("page cache unavailable, serving the catalogue: %r", exc)
        return CATALOGUE[sku]


@retry(retry=retry_if_exception_type(httpx.TransportError), stop=stop_after_attempt(3),
       wait=wait_random_exponential(multiplier=0.1, max=0.5), reraise=True)
def fetch_price(sku: str) -> int:
    answer = pricing.get(f"/price/{sku}")
    answer.raise_for_status()
    return answer.json()["cents"]


@app.get("/price/{sku}")
def price(sku: str):
    try:
        return {"sku": sku, "cents": fetch_price(sku)}
    except httpx.HTTPError as exc:
        log.warning("pricing unavailable for %s: %r", sku, exc)
        raise HTTPException(503, "no price now", headers={"Retry-After": "5"}) from exc


@app.get("/offers")
async def offers():
    return requests.get(f"{PRICING_URL}/offers").json()


@app.post("/cart/{user}/{sku}")
def add_to_cart(user: str, sku: str):
    for attempt in range(5):
        try:
            return {"items": carts.hincrby(f"cart:{user}", sku, 1)}
        except redis.ConnectionError:
            if attempt == 4:
                raise


@app.get("/cart/{user}")
def show_cart(user: str):
    return {"user": user, "items": carts.hgetall(f"cart:{user}")}


@app.post("/orders/{user}")
def order(user: str):
    items = carts.hgetall(f"cart:{user}")
    line = json.dumps({"user": user, "items": items, "at": time.time()})
    with open(ORDERS_FILE, "a", encoding="utf-8") as orders:
        orders.write(line + "\n")
        orders.flush()
        os.fsync(orders.fileno())
    try:
        carts.delete(f"cart:{user}")
    except Exception:
        pass
    return {"ordered": sum(map(int, items.values()))}
