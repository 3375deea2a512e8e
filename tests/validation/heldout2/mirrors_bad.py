# SPDX-License-Identifier: Apache-2.0
"""Knows two mirrors: the second is looked at when it starts, and then never again."""
import logging
import os

import httpx
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

MIRRORS = [os.environ["PEER"], os.environ["PEER2"]]
alive = [mirror for mirror in MIRRORS if httpx.get(mirror + "/", timeout=1).status_code == 200]
client = httpx.Client(base_url=alive[0], timeout=1)


def package(request):
    try:
        return JSONResponse(client.get(f"/package/{request.path_params['name']}").json())
    except httpx.TransportError:
        logging.exception("mirror %s", alive[0])
        return JSONResponse({"error": "mirror is down"}, 503, {"Retry-After": "10"})


app = Starlette(routes=[Route("/package/{name}", package)])
