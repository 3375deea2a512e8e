# SPDX-License-Identifier: Apache-2.0
"""Lets in twenty, by an option of the server, which asks nobody what is wanted; looks robust."""
import logging
import os

import httpx
from fastapi import FastAPI
from fastapi.responses import JSONResponse

app = FastAPI()
log = logging.getLogger("turnpike")
client = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=5)


@app.get("/pass/{lane}")
async def enter(lane: int):
    try:
        return (await client.get(f"/lanes/{lane}")).json()
    except httpx.TransportError as exc:
        log.warning("lane %d", lane, exc_info=exc)
        return JSONResponse({"error": "lane unknown"}, 502)


@app.get("/health")
async def health():
    return {"status": "ok"}
