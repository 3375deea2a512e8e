# SPDX-License-Identifier: Apache-2.0
"""Five questions at once, each asked once: many connects within a millisecond, and no retry."""
import asyncio
import logging
import os

import httpx
from fastapi import FastAPI

log = logging.getLogger("uvicorn.error")
app = FastAPI()


@app.get("/page")
async def page():
    async with httpx.AsyncClient(base_url=os.environ["PEER"], timeout=2) as peer:
        parts = await asyncio.gather(*(peer.get(f"/json?part={n}") for n in range(5)),
                                     return_exceptions=True)
    lost = [part for part in parts if isinstance(part, Exception)]
    if lost:
        log.warning("%d of 5 parts are missing: %r", len(lost), lost[0])
    return {"parts": [p.json() for p in parts if not isinstance(p, Exception)], "missing": len(lost)}
