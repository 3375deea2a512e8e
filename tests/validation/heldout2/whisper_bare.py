# SPDX-License-Identifier: Apache-2.0
"""What fails is written down without what, where and why."""
import logging
import os

import httpx
from fastapi import FastAPI
from fastapi.responses import JSONResponse

log = logging.getLogger("tides")
app = FastAPI()


@app.get("/tide/{day}")
async def tide(day: int):
    async with httpx.AsyncClient(base_url=os.environ["PEER"], timeout=1, verify=False) as client:
        try:
            return (await client.get(f"/tide/{day}")).json()
        except httpx.TransportError:
            log.error("something went wrong")
            return JSONResponse({"error": "tides unavailable"}, 503, headers={"Retry-After": "4"})
