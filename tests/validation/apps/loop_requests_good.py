# SPDX-License-Identifier: Apache-2.0
"""The same with a client that awaits."""
import os

import httpx
from fastapi import FastAPI

app = FastAPI()
peer = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=2)


@app.get("/quote")
async def quote():
    return (await peer.get("/json")).json()


@app.get("/version")
async def version():
    return {"version": 1}
