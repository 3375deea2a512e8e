# SPDX-License-Identifier: Apache-2.0
"""Answers at once; how long that took is told to a collector."""
import asyncio
import logging
import os
import time

import aiohttp
from aiohttp import web

log = logging.getLogger("meters")
COLLECTOR = f"http://{os.environ['LOCAL']}:4318/v1/metrics"


async def tell(session, point):
    try:
        async with session.post(COLLECTOR, json=point) as answer:
            answer.raise_for_status()
    except (aiohttp.ClientError, asyncio.TimeoutError) as exc:
        log.warning("collector %s: %r", COLLECTOR, exc)


async def export(session, points):
    while True:
        await tell(session, await points.get())


@web.middleware
async def measured(request, handler):
    began = time.monotonic()
    try:
        return await handler(request)
    finally:
        point = {"path": request.path, "seconds": time.monotonic() - began}
        if not request.app["points"].full():  # else it is dropped
            request.app["points"].put_nowait(point)


async def meter(request):
    return web.json_response({"meter": request.match_info["meter"], "value": 7})


async def background(app):
    app["session"] = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2))
    app["points"] = asyncio.Queue(maxsize=100)
    task = asyncio.create_task(export(app["session"], app["points"]))
    yield
    task.cancel()
    await app["session"].close()


app = web.Application(middlewares=[measured])
app.cleanup_ctx.append(background)
app.router.add_get("/meter/{meter}", meter)
if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
