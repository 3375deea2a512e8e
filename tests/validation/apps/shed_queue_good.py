# SPDX-License-Identifier: Apache-2.0
"""Twelve at a time; the others are refused at once."""
import asyncio
import os

import httpx
from fastapi import FastAPI, HTTPException

app = FastAPI()
peer = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=5)
slots = asyncio.Semaphore(12)


@app.get("/quote")
async def quote():
    if slots.locked():
        raise HTTPException(503, "busy", headers={"Retry-After": "2"})
    async with slots:
        return (await peer.get("/json")).json()
