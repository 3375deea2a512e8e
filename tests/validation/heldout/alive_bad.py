# SPDX-License-Identifier: Apache-2.0
"""Starlette; its liveness depends on the peer, so an outage there restarts everything here."""
import logging
import os

import httpx
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

http = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=1)


async def ask(path):
    try:
        return JSONResponse((await http.get(path)).json())
    except httpx.TransportError as exc:
        logging.warning("peer failed: %r", exc)
        return JSONResponse({"error": "unavailable"}, 503, headers={"Retry-After": "2"})


async def data(request):
    return await ask("/data")


async def alive(request):
    return await ask("/ping")


app = Starlette(routes=[Route("/data", data), Route("/livez", alive)])
