# SPDX-License-Identifier: Apache-2.0
"""The same quote; once the client has left nobody asks any more."""
import asyncio
import logging
import os

import httpx
from fastapi import FastAPI, HTTPException, Request

log = logging.getLogger("uvicorn.error")
app = FastAPI()
peer = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=4.2, limits=httpx.Limits(max_connections=100))


async def ask():
    for attempt in range(3):
        try:
            return (await peer.get("/json")).json()
        except httpx.TransportError as exc:
            log.warning("attempt %d: %r", attempt, exc)
    raise HTTPException(503, headers={"Retry-After": "5"})


@app.get("/quote")
async def quote(request: Request):
    work = asyncio.create_task(ask())
    while not (await asyncio.wait({work}, timeout=0.2))[0]:
        if await request.is_disconnected():
            log.warning("the client has left")
            work.cancel()
    return await work
