# SPDX-License-Identifier: Apache-2.0
"""Maps out of a house that answers 503, with Retry-After, when it is asked too often."""
import asyncio
import logging
import os
import random

import httpx
from fastapi import FastAPI
from fastapi.responses import JSONResponse

app = FastAPI()
log = logging.getLogger("maps")
client = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=2)


@app.get("/map/{sheet}")
async def sheet(sheet: int):
    for attempt in range(4):
        answer = await client.get("/busy", params={"sheet": sheet})
        if answer.status_code != 503:
            return answer.json()
        log.warning("maps of %s: 503, try %d", client.base_url, attempt + 1)
        await asyncio.sleep(float(answer.headers.get("Retry-After", 1)) + random.uniform(0.05, 0.3))
    return JSONResponse({"error": "maps are busy"}, 503, headers={"Retry-After": "5"})
