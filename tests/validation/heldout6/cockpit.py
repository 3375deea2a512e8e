# SPDX-License-Identifier: Apache-2.0
"""One page of three parts, each with a second of its own; parts that are missing are named."""
import asyncio
import logging
import os

import httpx
from fastapi import FastAPI

app = FastAPI()
log = logging.getLogger("cockpit")
client = httpx.AsyncClient(timeout=1)
PARTS = {"speed": os.environ["PEER"] + "/speed", "fuel": os.environ["PEER"] + "/fuel",
         "weather": os.environ["PEER2"] + "/weather"}


async def part(name, missing):
    try:
        async with asyncio.timeout(1):
            answer = await client.get(PARTS[name])
            answer.raise_for_status()
            return answer.json()["value"]
    except (httpx.HTTPError, TimeoutError) as exc:
        log.warning("%s from %s", name, PARTS[name], exc_info=exc)
        missing.append(name)


@app.get("/cockpit/{plane}")
async def cockpit(plane: int):
    missing = []
    async with asyncio.TaskGroup() as group:
        tasks = {name: group.create_task(part(name, missing)) for name in PARTS}
    return {"plane": plane, **{name: task.result() for name, task in tasks.items()}, "degraded": sorted(missing)}
