# SPDX-License-Identifier: Apache-2.0
"""Passes a stream on, part by part: a limit of each part is right, and there is none of the whole."""
import logging
import os

import httpx
from starlette.applications import Starlette
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

client = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=httpx.Timeout(0.45, connect=1))


async def ticks(request):
    try:
        answer = await client.send(client.build_request("GET", "/ticks"), stream=True)
    except httpx.TransportError as exc:
        logging.warning("ticks of %s: %r", client.base_url, exc)
        return JSONResponse({"error": "no ticks"}, 503)

    async def parts():
        try:
            async for part in answer.aiter_raw():
                yield part
        finally:
            await answer.aclose()
    return StreamingResponse(parts(), media_type="text/plain")


async def about(request):
    return JSONResponse({"about": "ticks"})


app = Starlette(routes=[Route("/ticks", ticks), Route("/about", about)])
