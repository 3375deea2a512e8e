# SPDX-License-Identifier: Apache-2.0
"""A breaker made by hand for asyncio."""
import logging
import os
import time

import httpx
from fastapi import FastAPI
from fastapi.responses import JSONResponse

app = FastAPI()
client = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=1)


class Open(Exception):
    pass


class Breaker:
    def __init__(self, limit=5, rest=3.0):
        self.limit, self.rest, self.failures, self.since, self.probing = limit, rest, 0, 0.0, False

    async def __aenter__(self):
        if self.failures >= self.limit:
            if self.probing or time.monotonic() - self.since < self.rest:
                raise Open
            self.probing = True

    async def __aexit__(self, kind, exc, trace):
        self.probing = False
        if kind is None:
            self.failures = 0
        else:
            self.failures += 1
            self.since = time.monotonic()


breaker = Breaker()


@app.get("/rating/{article}")
async def rating(article: int):
    try:
        async with breaker:
            return (await client.get(f"/rating/{article}")).json()
    except (httpx.TransportError, Open) as exc:
        logging.warning("rating of %d from %s: %r", article, client.base_url, exc)
        return JSONResponse({"error": "ratings unavailable"}, 503, headers={"Retry-After": "3"})
