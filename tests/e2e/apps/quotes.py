# SPDX-License-Identifier: Apache-2.0
"""Answers with what a peer says. CAREFUL=1: a peer that is down is refused in words, and logged.
BROKEN=1: one route fails whatever happens, as of an application that is ill already."""
import logging
import os

import httpx
from fastapi import FastAPI, HTTPException

log = logging.getLogger("uvicorn.error")
app = FastAPI()
peer = httpx.Client(base_url=os.environ["PEER"], timeout=1)


@app.get("/quote")
def quote():
    if os.environ.get("BROKEN"):
        raise KeyError("settings")
    try:
        return peer.get("/").json()
    except httpx.TransportError as exc:
        if not os.environ.get("CAREFUL"):
            raise
        log.warning("no quote: %r", exc)
        raise HTTPException(503, "no quote", headers={"Retry-After": "2"}) from exc
