# SPDX-License-Identifier: Apache-2.0
"""Counts what is asked for, and hands the counts over when it ends."""
import asyncio
import collections
import logging
import os

import aiohttp
from aiohttp import web

hits = collections.Counter()


async def client(app):
    app["http"] = aiohttp.ClientSession()
    yield
    try:
        await hand_over(app["http"])
    except (aiohttp.ClientError, asyncio.TimeoutError) as exc:
        logging.warning("counts are lost: %r", exc)
    await app["http"].close()


async def hand_over(http):
    limit = aiohttp.ClientTimeout(total=2)
    async with http.post(os.environ["PEER"] + "/counts", json=dict(hits), timeout=limit) as answer:
        answer.raise_for_status()


async def page(request):
    hits[request.match_info["name"]] += 1
    return web.Response(text="page " + request.match_info["name"])


async def quote(request):
    try:
        limit = aiohttp.ClientTimeout(total=1)
        async with request.app["http"].get(os.environ["PEER"] + "/quote", timeout=limit) as answer:
            return web.json_response(await answer.json())
    except (aiohttp.ClientError, asyncio.TimeoutError) as exc:
        logging.warning("quotes of %s: %r", os.environ["PEER"], exc)
        return web.json_response({"error": "no quote"}, status=503)


app = web.Application()
app.cleanup_ctx.append(client)
app.add_routes([web.get("/page/{name}", page), web.get("/quote", quote)])
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
