# SPDX-License-Identifier: Apache-2.0
"""Four attempts by a coroutine, with nothing but an await between them."""
import logging
import os

import aiohttp
from aiohttp import web


async def quote(request):
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as peer:
        for attempt in range(4):
            try:
                async with peer.get(os.environ["PEER"] + "/json") as answer:
                    return web.json_response(await answer.json())
            except aiohttp.ClientError as exc:
                logging.warning("attempt %d: %r", attempt, exc)
    return web.json_response({"error": "no quote"}, status=503, headers={"Retry-After": "1"})


app = web.Application()
app.add_routes([web.get("/quote", quote)])
if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]))
