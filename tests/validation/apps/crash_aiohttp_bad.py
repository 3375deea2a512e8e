# SPDX-License-Identifier: Apache-2.0
"""aiohttp on both sides; ClientConnectorError reaches the server's own last resort."""
import os

import aiohttp
from aiohttp import web


async def stock(request):
    async with request.app["client"].get(os.environ["PEER"] + "/json") as answer:
        return web.json_response(await answer.json())


async def client(app):
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as app["client"]:
        yield


app = web.Application()
app.cleanup_ctx.append(client)
app.add_routes([web.get("/stock", stock)])
if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]))
