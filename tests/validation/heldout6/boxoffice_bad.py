# SPDX-License-Identifier: Apache-2.0
"""Seats of a theatre, asked of the house that sells them."""
import logging
import os

import httpx
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

log = logging.getLogger("boxoffice")
client = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=5, limits=httpx.Limits(max_connections=None))


async def seat(request):
    try:
        return JSONResponse((await client.get(f"/seats/{request.path_params['seat']}")).json())
    except httpx.TransportError as exc:
        log.warning("seats", exc_info=exc)
        return JSONResponse({"error": "seats unavailable"}, 502)


async def healthz(request):
    return JSONResponse({"ok": True})


app = Starlette(routes=[Route("/seat/{seat:int}", seat), Route("/healthz", healthz)])
