# SPDX-License-Identifier: Apache-2.0
"""aiohttp server and a poller of redis under one gather: a lost connection is a line in the log."""
import asyncio
import logging
import os

import redis.asyncio as redis
from aiohttp import web

store = redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1)
level = {"value": 0}


async def poll():
    while True:
        try:
            level["value"] = int(await store.get("level") or 0)
        except redis.RedisError as exc:
            logging.warning("level is not read: %r", exc)
        await asyncio.sleep(0.3)


async def show(request):
    return web.json_response(level)


async def serve():
    app = web.Application()
    app.router.add_get("/level", show)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(os.environ["PORT"])).start()
    await asyncio.Event().wait()


async def main():
    await asyncio.gather(serve(), poll())

asyncio.run(main())
