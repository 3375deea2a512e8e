# SPDX-License-Identifier: Apache-2.0
"""A job is begun, and asked for until it is there: 404 means not yet."""
import asyncio
import os
import random

import httpx
from fastapi import FastAPI, HTTPException

app = FastAPI()
client = httpx.AsyncClient(base_url=f"http://{os.environ['LOCAL']}:4400", timeout=2)


@app.post("/render/{name}")
async def render(name: str):
    job = (await client.post("/job")).json()["job"]
    for _ in range(8):
        answer = await client.get(f"/job/{job}")
        if answer.status_code == 200:
            return answer.json()
        await asyncio.sleep(random.uniform(0.1, 0.3))
    raise HTTPException(504)
