# SPDX-License-Identifier: Apache-2.0
"""The same pages; what a dead service means is said in one place, for all of them."""
import logging
import os

import httpx
from fastapi import FastAPI
from fastapi.responses import JSONResponse

log = logging.getLogger("uvicorn.error")
app = FastAPI()
shop = httpx.Client(base_url=os.environ["PEER"])


@app.exception_handler(httpx.TransportError)
def shop_down(request, exc):
    log.warning("%s: %r", request.url.path, exc)
    return JSONResponse({"error": "try again"}, 503, headers={"Retry-After": "5"})


def ask(what):
    return shop.get(f"/json?what={what}").json()


@app.get("/price")
def price():
    return ask("price")


@app.get("/stock")
def stock():
    return ask("stock")


@app.get("/rating")
def rating():
    return ask("rating")
