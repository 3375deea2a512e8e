# SPDX-License-Identifier: Apache-2.0
"""What a freight costs, asked of another service, on aiohttp at both ends."""
import logging
import os
import time

import aiohttp
from aiohttp import web

log = logging.getLogger("freight")


async def freight(request):
    try:
        async with request.app["line"].get(f"{os.environ['PEER']}/freight/{request.match_info['n']}") as answer:
            cost = await answer.json()
    except (aiohttp.ClientError, TimeoutError) as exc:
        log.warning("no price", exc_info=exc)
        raise web.HTTPServiceUnavailable(headers={"Retry-After": "4"}) from exc
    return web.json_response(cost)


async def line(app):
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3)) as app["line"]:
        yield


app = web.Application()
app.cleanup_ctx.append(line)
app.add_routes([web.get("/freight/{n}", freight)])
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
