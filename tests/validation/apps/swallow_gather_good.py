# SPDX-License-Identifier: Apache-2.0
"""The same two notices; what gather() returns is looked at, logged and refused."""
import asyncio
import logging
import os

import aiohttp
from aiohttp import web


async def notify(request):
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as peer:
        done = await asyncio.gather(*(peer.post(os.environ["PEER"] + "/mail", data=b"hello")
                                      for _ in range(2)), return_exceptions=True)
    lost = [each for each in done if isinstance(each, Exception)]
    if lost:
        logging.error("%d notices lost: %r", len(lost), lost[0])
        return web.json_response({"lost": len(lost)}, status=503, headers={"Retry-After": "1"})
    return web.json_response({"notified": 2})


app = web.Application()
app.add_routes([web.post("/notify", notify)])
if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]))
