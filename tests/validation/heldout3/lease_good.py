# SPDX-License-Identifier: Apache-2.0
"""A lease is asked for at redis until there is one."""
import asyncio
import logging
import os
import random

import redis.asyncio as redis
from aiohttp import web

log = logging.getLogger("lease")
store = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1)


async def surely(function, *args):
    while True:
        try:
            return await function(*args)
        except redis.ConnectionError as exc:
            log.debug("again: %s", exc)
            await asyncio.sleep(random.uniform(0.055, 0.065))


async def lease(request):
    name = f"lease:{request.match_info['name']}"
    try:
        return web.json_response({"lease": await asyncio.wait_for(surely(store.incr, name), 0.8)})
    except asyncio.TimeoutError as exc:
        log.error("no redis for %s", name)
        raise web.HTTPServiceUnavailable(headers={"Retry-After": "1"}) from exc


app = web.Application()
app.add_routes([web.post("/lease/{name}", lease)])
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
