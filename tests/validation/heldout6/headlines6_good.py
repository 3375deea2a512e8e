# SPDX-License-Identifier: Apache-2.0
"""Headlines: a second in memory, and if there are no new ones, those of the last hour, marked as old."""
import logging
import os

import httpx
from cachetools import TTLCache
from fastapi import FastAPI
from fastapi.responses import JSONResponse

app = FastAPI()
log = logging.getLogger("headlines")
client = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=2)
fresh, old = TTLCache(maxsize=100, ttl=1), TTLCache(maxsize=100, ttl=3600)


@app.get("/headline/{paper}")
async def headline(paper: int):
    if paper in fresh:
        return fresh[paper]
    try:
        answer = await client.get(f"/headlines/{paper}")
        answer.raise_for_status()
    except httpx.HTTPError as exc:
        log.warning("headlines of %d", paper, exc_info=exc)
        if paper not in old:
            return JSONResponse({"error": "no headlines"}, 503, headers={"Retry-After": "2"})
        return JSONResponse({**old[paper], "stale": True}, headers={"Warning": '110 - "Response is Stale"'})
    fresh[paper] = old[paper] = answer.json()
    return fresh[paper]
