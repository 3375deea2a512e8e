# SPDX-License-Identifier: Apache-2.0
"""The same stock; a middleware answers 503 for every error of a dependency, and says so."""
import logging
import os

import aiohttp
from aiohttp import web


@web.middleware
async def refuse(request, handler):
    try:
        return await handler(request)
    except aiohttp.ClientError as exc:
        logging.warning("%s: dependency failed: %r", request.path, exc)
        return web.json_response({"error": "try later"}, status=503, headers={"Retry-After": "2"})


async def stock(request):
    async with request.app["client"].get(os.environ["PEER"] + "/json") as answer:
        return web.json_response(await answer.json())


async def client(app):
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as app["client"]:
        yield


app = web.Application(middlewares=[refuse])
app.cleanup_ctx.append(client)
app.add_routes([web.get("/stock", stock)])
if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]))
