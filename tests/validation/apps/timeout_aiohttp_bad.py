# SPDX-License-Identifier: Apache-2.0
"""aiohttp with its five minutes switched off: only the loop's own wait is to be seen."""
import os

import aiohttp
from aiohttp import web


async def quote(request):
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as peer:
        async with peer.get(os.environ["PEER"] + "/json") as answer:
            return web.json_response(await answer.json())


app = web.Application()
app.add_routes([web.get("/quote", quote)])
if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]))
