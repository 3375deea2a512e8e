# SPDX-License-Identifier: Apache-2.0
"""requests.get with a timeout, and an answer for when it fires."""
import logging
import os

import requests
from fastapi import FastAPI, HTTPException

log = logging.getLogger("uvicorn.error")
app = FastAPI()


@app.get("/quote")
def quote():
    try:
        return requests.get(os.environ["PEER"] + "/json", timeout=(0.5, 0.5)).json()
    except requests.RequestException as exc:
        log.warning("no quote: %r", exc)
        raise HTTPException(503, "no quote", headers={"Retry-After": "2"}) from exc
