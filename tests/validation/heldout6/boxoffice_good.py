# SPDX-License-Identifier: Apache-2.0
"""Seats of a theatre, asked of the house that sells them."""
import logging
import os

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Route

log = logging.getLogger("boxoffice")
client = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=5, limits=httpx.Limits(max_connections=None))


class Shed:
    """No more than twenty at a time; who asks for our health always may."""

    def __init__(self, app, most=20):
        self.app, self.most, self.now = app, most, 0

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http" or scope["path"] == "/healthz":
            return await self.app(scope, receive, send)
        if self.now >= self.most:
            return await JSONResponse({"error": "busy"}, 503, headers={"Retry-After": "2"})(scope, receive, send)
        self.now += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self.now -= 1


async def seat(request):
    try:
        return JSONResponse((await client.get(f"/seats/{request.path_params['seat']}")).json())
    except httpx.TransportError as exc:
        log.warning("seats", exc_info=exc)
        return JSONResponse({"error": "seats unavailable"}, 502)


async def healthz(request):
    return JSONResponse({"ok": True})


app = Starlette(routes=[Route("/seat/{seat:int}", seat), Route("/healthz", healthz)], middleware=[Middleware(Shed)])
