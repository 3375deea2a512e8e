# SPDX-License-Identifier: Apache-2.0
"""Three mirrors, asked in turn until one answers: that is no retry of any of them."""
import logging
import os

import httpx
from fastapi import FastAPI, HTTPException

app = FastAPI()
log = logging.getLogger("walk")
MIRRORS = [os.environ["PEER"], os.environ["PEER2"], f"http://{os.environ['LOCAL']}:4400"]
client = httpx.AsyncClient(timeout=httpx.Timeout(2, connect=1))


@app.get("/archive/{name}")
async def archive(name: str):
    for mirror in MIRRORS:
        try:
            return (await client.get(f"{mirror}/archive/{name}")).json()
        except httpx.TransportError as exc:
            log.warning("%s: %r", mirror, exc)
    raise HTTPException(503)
