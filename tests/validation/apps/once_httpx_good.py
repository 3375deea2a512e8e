# SPDX-License-Identifier: Apache-2.0
"""The same request; the transport tries a connect again."""
import os

import httpx
from fastapi import FastAPI

app = FastAPI()


@app.get("/item/{sku}")
def item(sku: str):
    with httpx.Client(transport=httpx.HTTPTransport(retries=2), timeout=2) as peer:
        return peer.get(f"{os.environ['PEER']}/json?sku={sku}").json()
