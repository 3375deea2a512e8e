# SPDX-License-Identifier: Apache-2.0
"""aiohttp on both sides; a busy peer says when to come again, and is heard."""
import asyncio
import os
import random

import aiohttp
from aiohttp import web


async def ask(session):
    for attempt in range(6):
        async with session.get(os.environ["PEER"] + "/busy") as answer:
            if answer.status == 200:
                return await answer.read()
            pause = int(answer.headers.get("Retry-After", 1)) + random.uniform(0, 0.3)
        await asyncio.sleep(pause)
    raise web.HTTPServiceUnavailable(headers={"Retry-After": "5"})


async def report(request):
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(2)) as session:
        return web.Response(body=await ask(session))


app = web.Application()
app.router.add_get("/report", report)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
