# SPDX-License-Identifier: Apache-2.0
"""Asks for a quote, and again, however long that takes and whoever is still there."""
import logging
import os

import httpx
from fastapi import FastAPI, HTTPException

log = logging.getLogger("uvicorn.error")
app = FastAPI()
peer = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=4.2, limits=httpx.Limits(max_connections=100))


@app.get("/quote")
async def quote():
    for attempt in range(3):
        try:
            return (await peer.get("/json")).json()
        except httpx.TransportError as exc:
            log.warning("attempt %d: %r", attempt, exc)
    raise HTTPException(503, headers={"Retry-After": "5"})
