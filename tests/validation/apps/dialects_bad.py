# SPDX-License-Identifier: Apache-2.0
"""Three pages of a shop that ask one service, each written by somebody else."""
import logging
import os

import httpx
from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse

log = logging.getLogger("uvicorn.error")
app = FastAPI()
shop = httpx.Client(base_url=os.environ["PEER"])


def ask(what):
    return shop.get(f"/json?what={what}").json()


@app.get("/price")
def price():
    return ask("price")


@app.get("/stock")
def stock():
    try:
        return ask("stock")
    except httpx.TransportError as exc:
        log.warning("stock: %r", exc)
        raise HTTPException(404, "no such thing in stock") from exc


@app.get("/rating")
def rating():
    try:
        return ask("rating")
    except httpx.TransportError as exc:
        log.warning("rating: %r", exc)
        return JSONResponse({"error": "try again"}, 503, headers={"Retry-After": "5"})
