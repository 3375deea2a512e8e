# SPDX-License-Identifier: Apache-2.0
import logging
import os

import httpx
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

client = httpx.Client(base_url=os.environ["PEER"], timeout=httpx.Timeout(0.9, connect=0.5))


def word(request):
    try:
        return JSONResponse(client.get("/word/" + request.path_params["word"]).json())
    except httpx.HTTPError:
        logging.exception("dictionary")
        return JSONResponse({"error": "dictionary unavailable"}, 503, {"Retry-After": "5"})


app = Starlette(routes=[Route("/word/{word}", word)])
