# SPDX-License-Identifier: Apache-2.0
"""What is told depends on what happened, and on nothing else: refused is 503, cut is 502, late is 504."""
import logging
import os

import httpx
from fastapi import FastAPI
from fastapi.responses import JSONResponse

app = FastAPI()
log = logging.getLogger("gateway")
client = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=2)
STATUS = [(httpx.ConnectError, 503), (httpx.TimeoutException, 504), (httpx.TransportError, 502)]


@app.exception_handler(httpx.TransportError)
async def told(request, exc):
    status = next(status for kind, status in STATUS if isinstance(exc, kind))
    log.warning("%s", request.url.path, exc_info=exc)
    return JSONResponse({"error": type(exc).__name__}, status)


@app.get("/flights/{number}")
async def flights(number: int):
    return (await client.get(f"/flights/{number}")).json()


@app.get("/trains/{number}")
async def trains(number: int):
    return (await client.get(f"/trains/{number}")).json()


@app.get("/ferries/{number}")
async def ferries(number: int):
    return (await client.get(f"/ferries/{number}")).json()
