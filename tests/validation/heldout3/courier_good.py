# SPDX-License-Identifier: Apache-2.0
"""Where a parcel is. Errors of the carrier's line are told apart by their number."""
import errno
import logging
import os

import aiohttp
from aiohttp import web

STATUS = {errno.ECONNREFUSED: web.HTTPServiceUnavailable, errno.ECONNRESET: web.HTTPBadGateway}
log = logging.getLogger("courier")
CARRIER = web.AppKey("carrier") if hasattr(web, "AppKey") else "carrier"


async def parcel(request):
    url = f"{os.environ['PEER']}/parcel/{request.match_info['number']}"
    try:
        async with request.app[CARRIER].get(url) as answer:
            return web.json_response(await answer.json())
    except aiohttp.ClientConnectorError as exc:
        log.warning("carrier is away: %s", exc)
        raise STATUS.get(exc.os_error.errno, web.HTTPGatewayTimeout)(text="carrier is away") from exc


async def carrier(app):
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True),
                                     timeout=aiohttp.ClientTimeout(total=4)) as session:
        app[CARRIER] = session
        yield


app = web.Application()
app.cleanup_ctx.append(carrier)
app.add_routes([web.get("/parcel/{number}", parcel)])
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
