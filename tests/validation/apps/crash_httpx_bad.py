# SPDX-License-Identifier: Apache-2.0
"""A price by httpx; nothing is caught, so a refused connection becomes a 500."""
import os

import httpx
from fastapi import FastAPI

app = FastAPI()
prices = httpx.Client(base_url=os.environ["PEER"])


@app.get("/price/{sku}")
def price(sku: str):
    return prices.get(f"/json?sku={sku}").json()
