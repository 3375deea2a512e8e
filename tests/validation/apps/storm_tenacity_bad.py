# SPDX-License-Identifier: Apache-2.0
"""tenacity with a limit but no wait: twelve attempts within milliseconds."""
import logging
import os

import httpx
from fastapi import FastAPI, HTTPException
from tenacity import retry, stop_after_attempt

log = logging.getLogger("uvicorn.error")
app = FastAPI()
peer = httpx.Client(base_url=os.environ["PEER"], timeout=2)


@retry(stop=stop_after_attempt(12), reraise=True)
def fetch():
    return peer.get("/json").json()


@app.get("/quote")
def quote():
    try:
        return fetch()
    except httpx.HTTPError as exc:
        log.warning("no quote: %r", exc)
        raise HTTPException(503, "no quote", headers={"Retry-After": "1"}) from exc
