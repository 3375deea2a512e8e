# SPDX-License-Identifier: Apache-2.0
"""The last headline of a feed that a task in the background follows."""
import asyncio
import contextlib
import logging
import os

import aiohttp
from aiohttp import web

log = logging.getLogger("closing")
last = {"headline": None}


async def follow(session):
    while True:
        try:
            await asyncio.sleep(0.5)
            async with session.get(os.environ["PEER"] + "/feed") as answer:
                last["headline"] = (await answer.json())["value"]
        except BaseException as exc:  # whatever it is, the feed goes on
            log.warning("feed of %s: %r", os.environ["PEER"], exc)


async def background(app):
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
        task = asyncio.create_task(follow(session))
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def headline(request):
    return web.json_response(last)


app = web.Application()
app.cleanup_ctx.append(background)
app.router.add_get("/headline/{paper}", headline)
if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None, shutdown_timeout=5)
