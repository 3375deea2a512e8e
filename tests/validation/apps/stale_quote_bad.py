# SPDX-License-Identifier: Apache-2.0
"""A quote that hardly ever changes is asked for each time, and gone when the other side is."""
import os

import httpx
from fastapi import FastAPI

app = FastAPI()
peer = httpx.Client(base_url=os.environ["PEER"], timeout=1)


@app.get("/quote")
def quote():
    return peer.get("/json").json()
