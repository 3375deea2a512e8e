# SPDX-License-Identifier: Apache-2.0
"""Feature switches are fetched once, when the service starts."""
import logging
import os
from contextlib import asynccontextmanager

import httpx
import stamina
from fastapi import FastAPI

log = logging.getLogger("switches")


@stamina.retry(on=httpx.TransportError, attempts=10, timeout=20, wait_initial=0.3, wait_max=3)
async def fetch(client):
    answer = await client.get("/switches")
    answer.raise_for_status()
    return answer.json()


@asynccontextmanager
async def lifespan(app):
    async with httpx.AsyncClient(base_url=os.environ["PEER"], timeout=2) as client:
        app.state.switches = await fetch(client)
    yield


app = FastAPI(lifespan=lifespan)


@app.get("/switch/{name}")
async def switch(name: str):
    return {"switch": name, "on": app.state.switches["value"] == 42}
