# SPDX-License-Identifier: Apache-2.0
"""What is on the shelf, from a house over HTTP, kept in redis for a minute."""
import logging
import os

import aiohttp
import redis.asyncio
from aiohttp import web


class Shelf:
    def __init__(self):
        self.cache = redis.asyncio.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1,
                                                  socket_connect_timeout=1, decode_responses=True)

    async def fetch(self, number):
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as http:
            async with http.get(f"{os.environ['PEER']}/shelf/{number}") as answer:
                return await answer.text()

    async def look(self, number):
        try:
            known = await self.cache.get(f"shelf:{number}")
            if known is None:
                known = await self.fetch(number)
                await self.cache.setex(f"shelf:{number}", 60, known)
            return known
        except redis.RedisError as exc:
            logging.warning("cache %s: %r", os.environ["REDIS_URL"], exc)
            return await self.fetch(number)

    async def show(self, request):
        return web.json_response({"shelf": await self.look(request.match_info["number"])})


app = web.Application()
app.router.add_get("/shelf/{number}", Shelf().show)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
