# SPDX-License-Identifier: Apache-2.0
"""Starlette; looks up a name on the loop's own thread."""
import socket

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route


async def lookup(request):
    try:
        found = socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)
    except socket.gaierror as exc:
        return JSONResponse({"error": repr(exc)}, 503)
    return JSONResponse(sorted({address[0] for *_, address in found}))


async def ping(request):
    return JSONResponse("pong")


app = Starlette(routes=[Route("/lookup", lookup), Route("/ping", ping)])
