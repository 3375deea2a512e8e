# SPDX-License-Identifier: Apache-2.0
"""Reads its settings from a peer, blocking, before it serves anybody: nobody waits for that."""
import asyncio
import contextlib
import logging
import os

import httpx
import requests
from fastapi import FastAPI
from fastapi.responses import JSONResponse

state = {}


@contextlib.asynccontextmanager
async def life(app):
    state["settings"] = requests.get(os.environ["PEER"] + "/settings", timeout=4).json()
    state["http"] = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=3)
    yield
    await state["http"].aclose()


app = FastAPI(lifespan=life)


@app.get("/setting/{name}")
async def setting(name: str):
    return {"name": name, "value": state["settings"]["value"]}


@app.get("/live/{name}")
async def live(name: str):
    try:
        answer, _ = await asyncio.gather(state["http"].get("/live/" + name), asyncio.sleep(0.01))
        return answer.json()
    except httpx.TransportError as exc:
        logging.warning("peer %s: %r", os.environ["PEER"], exc)
        return JSONResponse({"error": "not now"}, 503)
