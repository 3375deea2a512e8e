# SPDX-License-Identifier: Apache-2.0
"""A peer that says when to come back."""
import asyncio
import logging
import os
import random

import httpx
from fastapi import FastAPI
from fastapi.responses import JSONResponse

app = FastAPI()


@app.get("/ticket/{n}")
async def ticket(n: int):
    async with httpx.AsyncClient(base_url=os.environ["PEER"], timeout=1, verify=False) as client:
        for attempt in range(9):
            answer = await client.get("/busy")
            if answer.status_code != 503:
                return answer.json()
            logging.warning("ticket office %s is busy, attempt %d", client.base_url, attempt)
            await asyncio.sleep(float(answer.headers["Retry-After"]) + random.uniform(0, 0.5))
    return JSONResponse({"error": "try later"}, 503, headers={"Retry-After": "3"})
