# SPDX-License-Identifier: Apache-2.0
"""The same fallback, and a warning with the error in it."""
import logging
import os

import httpx
from fastapi import FastAPI

log = logging.getLogger("uvicorn.error")
app = FastAPI()
peer = httpx.Client(base_url=os.environ["PEER"], timeout=1)


def bestsellers():
    return {"items": [1, 2, 3], "source": "bestsellers"}


@app.get("/recommended")
def recommended():
    try:
        return peer.get("/json").json()
    except httpx.HTTPError as exc:
        log.warning("recommendations unavailable: %r", exc)
        return bestsellers()
