# SPDX-License-Identifier: Apache-2.0
"""The server waits for its requests, and a request waits for its peer for as long as it takes."""
import os

import httpx
from fastapi import FastAPI, HTTPException

app = FastAPI()
client = httpx.AsyncClient(timeout=120)


@app.get("/price")
async def price():
    try:
        return (await client.get(os.environ["PEER"] + "/json")).json()
    except httpx.TransportError as exc:
        raise HTTPException(503) from exc
