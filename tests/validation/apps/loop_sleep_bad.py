# SPDX-License-Identifier: Apache-2.0
"""An async client, and a blocking sleep between its attempts."""
import logging
import os
import random
import time

import httpx
from fastapi import FastAPI, HTTPException

log = logging.getLogger("uvicorn.error")
app = FastAPI()


@app.get("/quote")
async def quote():
    for attempt in range(2):
        try:
            async with httpx.AsyncClient(timeout=2, verify=False) as peer:
                return (await peer.get(os.environ["PEER"] + "/json")).json()
        except httpx.TransportError as exc:
            log.warning("attempt %d: %r", attempt, exc)
            time.sleep(random.uniform(0.15, 0.25))
    raise HTTPException(503, "no quote", headers={"Retry-After": "1"})
