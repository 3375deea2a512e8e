# SPDX-License-Identifier: Apache-2.0
"""Sign-up, with a welcome message that is sent before the answer."""
import logging
import os

import aiohttp
from aiohttp import web


async def signup(request):
    user = await request.json()
    try:
        async with request.app["messages"].post(os.environ["PEER"] + "/welcome", json=user) as answer:
            await answer.read()
    except (aiohttp.ClientError, TimeoutError):
        logging.exception("welcome of %s", user)
    return web.json_response({"user": user["name"]}, status=201)


async def messages(app):
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3)) as app["messages"]:
        yield


def factory():
    app = web.Application()
    app.cleanup_ctx.append(messages)
    app.router.add_post("/signup", signup)
    return app


web.run_app(factory(), host="127.0.0.1", port=int(os.environ["PORT"]), print=None, access_log=None)
