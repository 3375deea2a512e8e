# SPDX-License-Identifier: Apache-2.0
"""A switch that turns the dependency off after three failures, and nothing that turns it on."""
import logging
import os

import httpx
from fastapi import FastAPI, HTTPException

log = logging.getLogger("uvicorn.error")
app = FastAPI()
peer = httpx.Client(base_url=os.environ["PEER"], timeout=1)
state = {"failures": 0}


@app.get("/score")
def score():
    if state["failures"] >= 3:
        raise HTTPException(503, "scores are off")
    try:
        answer = peer.get("/json").json()
        state["failures"] = 0
        return answer
    except httpx.HTTPError as exc:
        state["failures"] += 1
        log.warning("score failed: %r", exc)
        raise HTTPException(503, "no score") from exc
