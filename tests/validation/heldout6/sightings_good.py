# SPDX-License-Identifier: Apache-2.0
"""Where a whale was seen last; asks again for up to twelve seconds when the observatory is mute."""
import asyncio
import logging
import os
import random
import time

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

app = FastAPI()
log = logging.getLogger("sightings")
client = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=1)


@app.get("/whale/{whale}")
async def whale(whale: int, request: Request):
    end = time.monotonic() + 12
    while time.monotonic() < end and not await request.is_disconnected():
        try:
            return (await client.get(f"/whales/{whale}")).json()
        except httpx.TransportError as exc:
            log.warning("whale %d: %r", whale, exc)
            await asyncio.sleep(random.uniform(0.1, 0.4))
    return JSONResponse({"error": "observatory unavailable"}, 503, headers={"Retry-After": "5"})
