# SPDX-License-Identifier: Apache-2.0
"""aiohttp server; pages are kept in redis for a minute, and nothing is served without it."""
import asyncio
import os

import redis.asyncio as redis
from aiohttp import web

cache = redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1)


async def render(name):
    await asyncio.sleep(0.01)
    return f"<h1>{name}</h1>" * 20


async def page(request):
    name = request.match_info["name"]
    kept = await cache.get(name)
    if kept is None:
        kept = await render(name)
        await cache.setex(name, 60, kept)
    return web.Response(body=kept, content_type="text/html")


app = web.Application()
app.router.add_get("/page/{name}", page)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
