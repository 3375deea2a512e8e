# SPDX-License-Identifier: Apache-2.0
"""Names are looked up in a coroutine of FastAPI."""
import asyncio
import logging
import socket

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

app = FastAPI()


class Lines:
    async def number(self, name):
        return socket.gethostbyname(name)

    async def call(self, name):
        return {"name": name, "number": await self.number("localhost")}


@app.exception_handler(OSError)
async def dead(request: Request, exc: OSError):
    logging.error("%s: %r", request.url.path, exc)
    return JSONResponse({"error": "the line is dead"}, 503)


@app.get("/call/{name}")
async def call(name: str):
    return await Lines().call(name)


@app.get("/time")
async def hours():
    await asyncio.sleep(0)
    return {"hours": "day and night", "fee": "none"}
