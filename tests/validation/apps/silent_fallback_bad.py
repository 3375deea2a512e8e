# SPDX-License-Identifier: Apache-2.0
"""Recommendations with a fallback that works so well that nobody hears of the failure."""
import os

import httpx
from fastapi import FastAPI

app = FastAPI()
peer = httpx.Client(base_url=os.environ["PEER"], timeout=1)


def bestsellers():
    return {"items": [1, 2, 3], "source": "bestsellers"}


@app.get("/recommended")
def recommended():
    try:
        return peer.get("/json").json()
    except httpx.HTTPError:
        return bestsellers()
