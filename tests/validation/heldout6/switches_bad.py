# SPDX-License-Identifier: Apache-2.0
"""Feature switches are fetched once, when the service starts."""
import logging
import os
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI

log = logging.getLogger("switches")


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
