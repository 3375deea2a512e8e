# SPDX-License-Identifier: Apache-2.0
"""The same under asyncio's own clock."""
import asyncio
import logging
import os

import aiohttp
from aiohttp import web


async def fetch():
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as peer:
        async with peer.get(os.environ["PEER"] + "/json") as answer:
            return await answer.json()


async def quote(request):
    try:
        return web.json_response(await asyncio.wait_for(fetch(), 1))
    except asyncio.TimeoutError as exc:
        logging.warning("no quote in time: %r", exc)
        return web.json_response({"error": "slow"}, status=503, headers={"Retry-After": "2"})


app = web.Application()
app.add_routes([web.get("/quote", quote)])
if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]))
