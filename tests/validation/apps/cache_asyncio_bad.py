# SPDX-License-Identifier: Apache-2.0
"""aiohttp and redis.asyncio: the cached exchange rate is required, its failure is a 500."""
import os

import redis.asyncio
from aiohttp import web

cache = redis.asyncio.from_url(os.environ["REDIS_URL"], socket_timeout=1)


async def rate(request):
    value = await cache.get("rate")
    if value is None:
        value = b"1.25"
        await cache.set("rate", value, ex=10)
    return web.json_response({"rate": float(value)})


app = web.Application()
app.add_routes([web.get("/rate", rate)])
if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]))
