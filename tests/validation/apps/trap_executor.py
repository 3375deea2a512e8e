# SPDX-License-Identifier: Apache-2.0
"""A blocking client in an `async def`, where it belongs: in a thread."""
import asyncio
import os

import requests
from aiohttp import web


def fetch():
    return requests.get(os.environ["PEER"] + "/json", timeout=2).json()


async def quote(request):
    loop = asyncio.get_running_loop()
    return web.json_response(await loop.run_in_executor(None, fetch))


async def version(request):
    return web.json_response({"version": 1})


app = web.Application()
app.add_routes([web.get("/quote", quote), web.get("/version", version)])
if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]))
