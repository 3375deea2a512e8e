# SPDX-License-Identifier: Apache-2.0
"""Starlette; the answer falls back, and the failure is mentioned as information."""
import logging
import os

import httpx
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

logging.basicConfig(level=logging.INFO)
logging.getLogger("httpx").setLevel(logging.WARNING)
http = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=1)


async def score(request):
    try:
        return JSONResponse((await http.get("/score")).json())
    except httpx.TransportError as exc:
        logging.info("score by default: %r", exc)
        return JSONResponse({"value": 0, "degraded": ["score"]})


app = Starlette(routes=[Route("/score", score)])
