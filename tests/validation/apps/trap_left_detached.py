# SPDX-License-Identifier: Apache-2.0
"""The answer is bounded; what goes on when the client has left was set free to warm a cache."""
import asyncio
import os

import httpx
from fastapi import FastAPI
from fastapi.responses import JSONResponse

app = FastAPI()
peer = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=20, limits=httpx.Limits(max_connections=100))
kept, warming = {"value": None}, set()


async def warm():
    kept["value"] = (await peer.get("/json")).json()["value"]


@app.get("/quote")
async def quote():
    task = asyncio.create_task(warm())
    warming.add(task)
    task.add_done_callback(warming.discard)
    await asyncio.wait({task}, timeout=3)
    if kept["value"] is None:
        return JSONResponse({"error": "not known yet"}, 503, headers={"Retry-After": "5"})
    return kept
