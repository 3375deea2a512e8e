# SPDX-License-Identifier: Apache-2.0
"""One page out of two sources, which are asked at the same time."""
import asyncio
import logging
import os

import httpx
from fastapi import FastAPI
from fastapi.responses import JSONResponse

app = FastAPI()
log = logging.getLogger("panorama")
client = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=2)


async def part(path):
    answer = await client.get(path)
    answer.raise_for_status()
    return answer.json()["value"]


@app.get("/page/{town}")
async def page(town: int):
    failed = None
    try:
        async with asyncio.TaskGroup() as group:
            weather = group.create_task(part(f"/weather/{town}"))
            traffic = group.create_task(part(f"/traffic/{town}"))
    except* httpx.HTTPError as exc:
        failed = exc
    if failed:
        log.error("no page for %d", town, exc_info=failed)
        return JSONResponse({"error": "sources unavailable"}, 503, headers={"Retry-After": "5"})
    return {"town": town, "weather": weather.result(), "traffic": traffic.result()}
