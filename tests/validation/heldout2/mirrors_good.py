# SPDX-License-Identifier: Apache-2.0
"""Knows two mirrors, and asks the second when the first fails."""
import logging
import os

import httpx
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

clients = [httpx.Client(base_url=os.environ[name], timeout=1) for name in ("PEER", "PEER2")]


def package(request):
    for client in clients:
        try:
            return JSONResponse(client.get(f"/package/{request.path_params['name']}").json())
        except httpx.TransportError:
            logging.warning("mirror %s", client.base_url, exc_info=True)
    return JSONResponse({"error": "all mirrors are down"}, 503, {"Retry-After": "10"})


app = Starlette(routes=[Route("/package/{name}", package)])
