# SPDX-License-Identifier: Apache-2.0
"""The same price; a transport error is translated once, at the boundary, and logged."""
import logging
import os

import httpx
from fastapi import FastAPI
from fastapi.responses import JSONResponse

log = logging.getLogger("uvicorn.error")
app = FastAPI()
prices = httpx.Client(base_url=os.environ["PEER"])


@app.exception_handler(httpx.TransportError)
def dependency_down(request, exc):
    log.warning("prices unavailable: %r", exc)
    return JSONResponse({"error": "dependency_unavailable"}, 503, headers={"Retry-After": "5"})


@app.get("/price/{sku}")
def price(sku: str):
    return prices.get(f"/json?sku={sku}").json()
