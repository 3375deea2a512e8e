# SPDX-License-Identifier: Apache-2.0
"""Starlette; looks up a name in a thread of the loop."""
import asyncio
import socket

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route


async def lookup(request):
    try:
        found = await asyncio.get_running_loop().getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)
    except socket.gaierror as exc:
        return JSONResponse({"error": repr(exc)}, 503)
    return JSONResponse(sorted({address[0] for *_, address in found}))


async def ping(request):
    return JSONResponse("pong")


app = Starlette(routes=[Route("/lookup", lookup), Route("/ping", ping)])
