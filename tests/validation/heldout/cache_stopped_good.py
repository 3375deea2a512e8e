# SPDX-License-Identifier: Apache-2.0
"""aiohttp server; pages are kept in redis for a minute, and made anew when it is away."""
import asyncio
import logging
import os

import redis.asyncio as redis
from aiohttp import web

log = logging.getLogger("pages")
cache = redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1)


async def aside(call, *args):
    try:
        return await call(*args)
    except redis.RedisError as exc:
        log.warning("page cache is away: %r", exc)
        return None


async def render(name):
    await asyncio.sleep(0.01)
    return f"<h1>{name}</h1>" * 20


async def page(request):
    name = request.match_info["name"]
    kept = await aside(cache.get, name)
    if kept is None:
        kept = await render(name)
        await aside(cache.setex, name, 60, kept)
    return web.Response(body=kept, content_type="text/html")


app = web.Application()
app.router.add_get("/page/{name}", page)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
