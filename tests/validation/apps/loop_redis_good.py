# SPDX-License-Identifier: Apache-2.0
"""redis.asyncio inside an aiohttp handler."""
import os

import redis.asyncio
from aiohttp import web

store = redis.asyncio.from_url(os.environ["REDIS_URL"], socket_timeout=2)


async def count(request):
    return web.json_response({"count": await store.incr("count")})


async def version(request):
    return web.json_response({"version": 1})


app = web.Application()
app.add_routes([web.get("/count", count), web.get("/version", version)])
if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]))
