# SPDX-License-Identifier: Apache-2.0
"""A fresh connection per request, one attempt: a single refused connect is a failed request."""
import os

import httpx
from fastapi import FastAPI

app = FastAPI()


@app.get("/item/{sku}")
def item(sku: str):
    return httpx.get(f"{os.environ['PEER']}/json?sku={sku}", timeout=2).json()
