# SPDX-License-Identifier: Apache-2.0
"""tenacity as it is meant: few attempts, random exponential waits, transport errors only."""
import logging
import os

import httpx
from fastapi import FastAPI, HTTPException
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential, wait_random

log = logging.getLogger("uvicorn.error")
app = FastAPI()
peer = httpx.Client(base_url=os.environ["PEER"], timeout=2)


@retry(retry=retry_if_exception_type(httpx.TransportError), stop=stop_after_attempt(3),
       wait=wait_exponential(multiplier=0.1, max=1) + wait_random(0.05, 0.2), reraise=True)
def fetch():
    return peer.get("/json").json()


@app.get("/quote")
def quote():
    try:
        return fetch()
    except httpx.HTTPError as exc:
        log.warning("no quote: %r", exc)
        raise HTTPException(503, "no quote", headers={"Retry-After": "1"}) from exc
