# SPDX-License-Identifier: Apache-2.0
"""aiohttp on both sides; when the answer is late the question is put a second time, side by side."""
import asyncio
import os

import aiohttp
from aiohttp import web


async def ask(session):
    async with session.get(os.environ["PEER"] + "/data") as answer:
        return await answer.read()


async def show(request):
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(2)) as session:
        asked = {asyncio.ensure_future(ask(session))}
        done, late = await asyncio.wait(asked, timeout=0.15)
        if late:
            late.add(asyncio.ensure_future(ask(session)))
            done, late = await asyncio.wait(late, return_when=asyncio.FIRST_COMPLETED)
        for other in late:
            other.cancel()
        return web.Response(body=done.pop().result())


app = web.Application()
app.router.add_get("/show", show)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
