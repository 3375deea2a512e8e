# SPDX-License-Identifier: Apache-2.0
"""An ordinary service, which nobody has put to any test yet."""
import logging
import os

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

app = FastAPI()
log = logging.getLogger("ordinary")
client = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=2)


@app.exception_handler(httpx.TransportError)
async def peer_down(request: Request, exc: httpx.TransportError):
    log.error("%s", request.url.path, exc_info=exc)
    return JSONResponse({"error": "unavailable"}, 503, headers={"Retry-After": "5"})


@app.get("/thing/{thing}")
async def thing(thing: int):
    return (await client.get(f"/things/{thing}")).json()
