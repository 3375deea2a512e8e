# SPDX-License-Identifier: Apache-2.0
import logging
import os

import aiohttp
from aiohttp import web

routes = web.RouteTableDef()
LIMIT = aiohttp.ClientTimeout(total=0.08)


@routes.get("/late")
async def late(request):
    async with aiohttp.ClientSession(timeout=LIMIT) as session:
        try:
            async with session.get(os.environ["PEER"] + "/late") as answer:
                return web.json_response(await answer.json())
        except TimeoutError:
            logging.warning("no answer within %s", LIMIT.total)
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "1"})


app = web.Application()
app.add_routes(routes)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None, access_log=None)
