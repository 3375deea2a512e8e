# SPDX-License-Identifier: Apache-2.0
"""T4: a 503 that the author meant, and says so to the caller and to the log."""
import logging
import os

import httpx
from fastapi import FastAPI, HTTPException

log = logging.getLogger("uvicorn.error")
app = FastAPI()
peer = httpx.Client(base_url=os.environ["PEER"], timeout=1)


@app.get("/quote")
def quote():
    try:
        return peer.get("/json").json()
    except httpx.TransportError as exc:
        log.error("quotes are down", exc_info=exc)
        raise HTTPException(503, {"error": "quotes_down"}, headers={"Retry-After": "5"}) from exc
