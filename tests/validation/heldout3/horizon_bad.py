# SPDX-License-Identifier: Apache-2.0
"""Charts that take their time, for readers who do not."""
import asyncio
import logging
import os
import random

import aiohttp
from aiohttp import web

log = logging.getLogger("horizon")


async def ask(session, number):
    for attempt in range(5):
        try:
            async with session.get(f"{os.environ['PEER']}/chart/{number}") as answer:
                return await answer.json()
        except (aiohttp.ClientError, asyncio.TimeoutError) as exc:
            log.warning("chart %s, try %d: %r", number, attempt + 1, exc)
            await asyncio.sleep(random.uniform(0.1, 0.4))
    raise web.HTTPServiceUnavailable


async def chart(request):
    work = ask(request.app["session"], request.match_info["number"])
    return web.json_response(await work)


async def session(app):
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=4)) as app["session"]:
        yield


app = web.Application()
app.cleanup_ctx.append(session)
app.add_routes([web.get("/chart/{number}", chart)])
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
