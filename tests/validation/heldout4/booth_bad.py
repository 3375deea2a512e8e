# SPDX-License-Identifier: Apache-2.0
"""Answers out of a peer, as many at a time as there are questions."""
import asyncio
import logging
import os

import aiohttp
from aiohttp import web

MOST = 20
under_way = 0


@web.middleware
async def count(request, handler):
    global under_way
    under_way += 1
    try:
        return await handler(request)
    finally:
        under_way -= 1


async def client(app):
    connector = aiohttp.TCPConnector(limit=0)
    app["http"] = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=6))
    yield
    await app["http"].close()


async def answer(request):
    try:
        async with request.app["http"].get(f"{os.environ['PEER']}/answer/{request.match_info['n']}") as got:
            return web.json_response(await got.json())
    except (aiohttp.ClientError, asyncio.TimeoutError) as exc:
        logging.warning("peer %s: %r", os.environ["PEER"], exc)
        return web.json_response({"error": "no answer"}, status=503, headers={"Retry-After": "3"})


async def healthz(request):
    return web.Response(text="ok")


app = web.Application(middlewares=[count])
app.cleanup_ctx.append(client)
app.add_routes([web.get("/answer/{n}", answer), web.get("/healthz", healthz)])
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
