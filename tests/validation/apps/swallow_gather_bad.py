# SPDX-License-Identifier: Apache-2.0
"""Two notices are sent side by side; gather() returns what went wrong, and nobody looks at it."""
import asyncio
import os

import aiohttp
from aiohttp import web


async def notify(request):
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as peer:
        await asyncio.gather(*(peer.post(os.environ["PEER"] + "/mail", data=b"hello")
                               for _ in range(2)), return_exceptions=True)
    return web.json_response({"notified": 2})


app = web.Application()
app.add_routes([web.post("/notify", notify)])
if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]))
