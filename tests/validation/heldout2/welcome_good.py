# SPDX-License-Identifier: Apache-2.0
"""Sign-up, with a welcome message that is sent afterwards."""
import asyncio
import logging
import os

import aiohttp
from aiohttp import web


async def signup(request):
    user = await request.json()
    try:
        request.app["welcomes"].put_nowait(user)
    except asyncio.QueueFull:
        raise web.HTTPServiceUnavailable(headers={"Retry-After": "5"}) from None
    return web.json_response({"user": user["name"]}, status=201)


async def send(app):
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3)) as session:
        while True:
            user = await app["welcomes"].get()
            try:
                async with session.post(os.environ["PEER"] + "/welcome", json=user) as answer:
                    await answer.read()
            except (aiohttp.ClientError, TimeoutError):
                logging.exception("welcome of %s", user)


async def sender(app):
    app["welcomes"] = asyncio.Queue(500)
    tasks = [asyncio.create_task(send(app)) for _ in range(8)]
    yield
    for task in tasks:
        task.cancel()


def factory():
    app = web.Application()
    app.cleanup_ctx.append(sender)
    app.router.add_post("/signup", signup)
    return app


web.run_app(factory(), host="127.0.0.1", port=int(os.environ["PORT"]), print=None, access_log=None)
