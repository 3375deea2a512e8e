# SPDX-License-Identifier: Apache-2.0
"""The same switch; after two seconds one request may try again."""
import logging
import os
import time

import httpx
from fastapi import FastAPI, HTTPException

log = logging.getLogger("uvicorn.error")
app = FastAPI()
peer = httpx.Client(base_url=os.environ["PEER"], timeout=1)
state = {"failures": 0, "again": 0.0}


@app.get("/score")
def score():
    if state["failures"] >= 3 and time.monotonic() < state["again"]:
        raise HTTPException(503, "scores are off")
    try:
        answer = peer.get("/json").json()
        state["failures"] = 0
        return answer
    except httpx.HTTPError as exc:
        state.update(failures=state["failures"] + 1, again=time.monotonic() + 2)
        log.warning("score failed: %r", exc)
        raise HTTPException(503, "no score") from exc
