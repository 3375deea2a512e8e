# SPDX-License-Identifier: Apache-2.0
"""Twelve at a time, and the others wait for their turn, however long that takes."""
import asyncio
import os

import httpx
from fastapi import FastAPI

app = FastAPI()
peer = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=5)
slots = asyncio.Semaphore(12)


@app.get("/quote")
async def quote():
    async with slots:
        return (await peer.get("/json")).json()
