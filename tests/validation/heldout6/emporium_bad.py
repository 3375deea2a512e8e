# SPDX-License-Identifier: Apache-2.0
"""Reviews come from one house, prices from another."""
import logging
import os

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

app = FastAPI()
log = logging.getLogger("emporium")
reviews = prices = httpx.AsyncClient(timeout=4, limits=httpx.Limits(max_connections=4))


@app.exception_handler(httpx.TransportError)
async def house_down(request: Request, exc: httpx.TransportError):
    log.warning("%s", request.url.path, exc_info=exc)
    return JSONResponse({"error": "house unavailable"}, 503, headers={"Retry-After": "3"})


@app.get("/reviews/{article}")
async def review(article: int):
    answer = await reviews.get(f"{os.environ['PEER']}/reviews/{article}")
    return answer.json()


@app.get("/price/{article}")
async def price(article: int):
    answer = await prices.get(f"{os.environ['PEER2']}/prices/{article}")
    return answer.json()
