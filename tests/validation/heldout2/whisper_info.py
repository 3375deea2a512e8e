# SPDX-License-Identifier: Apache-2.0
"""What fails is written down as if it were news."""
import logging
import os

import httpx
from fastapi import FastAPI
from fastapi.responses import JSONResponse

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
logging.getLogger("httpx").setLevel(logging.WARNING)
log = logging.getLogger("tides")
app = FastAPI()


@app.get("/tide/{day}")
async def tide(day: int):
    async with httpx.AsyncClient(base_url=os.environ["PEER"], timeout=1, verify=False) as client:
        try:
            return (await client.get(f"/tide/{day}")).json()
        except httpx.TransportError as exc:
            log.info("tide of day %d at %s: %r", day, client.base_url, exc)
            return JSONResponse({"error": "tides unavailable"}, 503, headers={"Retry-After": "4"})
