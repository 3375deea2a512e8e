# SPDX-License-Identifier: Apache-2.0
"""Addresses to places, by a service that says when it has had enough."""
import asyncio
import logging
import os
import random

import httpx
from fastapi import FastAPI, HTTPException

app = FastAPI()
log = logging.getLogger("geocode")
client = httpx.AsyncClient(base_url=f"http://{os.environ['LOCAL']}:4400", timeout=2)


@app.get("/place/{address}")
async def place(address: str):
    for attempt in range(9):
        answer = await client.get(f"/limited/{address}")
        if answer.status_code != 429:
            return answer.json()
        rest = float(answer.headers["Retry-After"])
        log.warning("had enough for %s s", rest)
        await asyncio.sleep(random.uniform(0.2, 0.5))
    raise HTTPException(503, headers={"Retry-After": "2"})
