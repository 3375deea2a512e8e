# SPDX-License-Identifier: Apache-2.0
"""A short record that names the request: whoever has its id finds the rest."""
import logging
import os
import uuid

import httpx
from fastapi import FastAPI
from fastapi.responses import JSONResponse

log = logging.getLogger("uvicorn.error")
app = FastAPI()
peer = httpx.Client(base_url=os.environ["PEER"], timeout=2)


@app.get("/quote")
def quote():
    try:
        return peer.get("/json").json()
    except httpx.HTTPError:
        log.error("no quote, request_id=%s", uuid.uuid4())
        return JSONResponse({"error": "no quote"}, 503, headers={"Retry-After": "5"})
