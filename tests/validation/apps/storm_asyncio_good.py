# SPDX-License-Identifier: Apache-2.0
"""The same coroutine; it sleeps between attempts, longer each time, by chance."""
import asyncio
import logging
import os
import random

import aiohttp
from aiohttp import web


async def quote(request):
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as peer:
        for attempt in range(3):
            try:
                async with peer.get(os.environ["PEER"] + "/json") as answer:
                    return web.json_response(await answer.json())
            except aiohttp.ClientError as exc:
                logging.warning("attempt %d: %r", attempt, exc)
                await asyncio.sleep((0.1 + 0.1 * random.random()) * 2 ** attempt)
    return web.json_response({"error": "no quote"}, status=503, headers={"Retry-After": "1"})


app = web.Application()
app.add_routes([web.get("/quote", quote)])
if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]))
