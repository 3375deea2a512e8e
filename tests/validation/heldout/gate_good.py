# SPDX-License-Identifier: Apache-2.0
"""Starlette with eight slots for what costs something."""
import asyncio
import os

import httpx
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

http = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=6, limits=httpx.Limits(max_connections=100))
slots = asyncio.Semaphore(8)


def gated(handler):
    async def inner(request):
        if slots.locked():
            return JSONResponse({"error": "busy"}, 503, headers={"Retry-After": "2"})
        async with slots:
            return await handler(request)
    return inner


async def data(request):
    return JSONResponse((await http.get("/data")).json())


async def health(request):
    return JSONResponse({"alive": True})


app = Starlette(routes=[Route("/data", gated(data)), Route("/health", health)])
