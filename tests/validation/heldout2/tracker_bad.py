# SPDX-License-Identifier: Apache-2.0
"""Forwards uploads; what cannot be forwarded is kept for later."""
import logging
import os

import aiohttp
from aiohttp import web

backlog = []


async def track(request):
    blob = await request.read() + os.urandom(60_000)
    try:
        async with request.app["out"].post(os.environ["PEER"] + "/track", data=blob) as answer:
            await answer.read()
    except aiohttp.ClientError as exc:
        logging.warning("tracker peer: %r, %d kept", exc, len(backlog))
        backlog.append(blob)
    return web.Response(status=202)


async def out(app):
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as app["out"]:
        yield


app = web.Application()
app.cleanup_ctx.append(out)
app.router.add_post("/track", track)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None, access_log=None)
