# SPDX-License-Identifier: Apache-2.0
"""Ten are served at a time, and everybody else stands in line, however long it gets."""
import asyncio
import logging
import os

import httpx
from fastapi import FastAPI
from fastapi.responses import JSONResponse

app = FastAPI()
log = logging.getLogger("inline")
client = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=4)
slots = asyncio.Semaphore(10)


@app.get("/menu/{table}")
async def menu(table: int):
    async with slots:
        try:
            return (await client.get(f"/menus/{table}")).json()
        except httpx.TransportError as exc:
            log.warning("menu of %d", table, exc_info=exc)
            return JSONResponse({"error": "no menu"}, 502)
