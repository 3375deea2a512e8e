# SPDX-License-Identifier: Apache-2.0
"""Forwards uploads; the last few that cannot be forwarded are kept for later, the others refused."""
import asyncio
import logging
import os

import aiohttp
from aiohttp import web

backlog = asyncio.Queue(10)


async def track(request):
    blob = await request.read() + os.urandom(60_000)
    try:
        async with request.app["out"].post(os.environ["PEER"] + "/track", data=blob) as answer:
            await answer.read()
    except aiohttp.ClientError as exc:
        logging.warning("tracker peer: %r, %d kept", exc, backlog.qsize())
        try:
            backlog.put_nowait(blob)
        except asyncio.QueueFull:
            return web.Response(status=503, headers={"Retry-After": "5"})
    return web.Response(status=202)


async def out(app):
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as app["out"]:
        yield


app = web.Application()
app.cleanup_ctx.append(out)
app.router.add_post("/track", track)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None, access_log=None)
