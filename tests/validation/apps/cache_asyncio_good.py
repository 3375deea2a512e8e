# SPDX-License-Identifier: Apache-2.0
"""The same rate; the last value known in the process stands in while redis is away."""
import logging
import os

import redis.asyncio
from aiohttp import web

cache = redis.asyncio.from_url(os.environ["REDIS_URL"], socket_timeout=1)
last = {"rate": b"1.25"}


async def rate(request):
    try:
        value = await cache.get("rate")
        if value is None:
            value = b"1.25"
            await cache.set("rate", value, ex=10)
        last["rate"] = value
    except redis.RedisError as exc:
        logging.warning("rate from memory, redis failed: %r", exc)
    return web.json_response({"rate": float(last["rate"])})


app = web.Application()
app.add_routes([web.get("/rate", rate)])
if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]))
