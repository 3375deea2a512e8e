# SPDX-License-Identifier: Apache-2.0
"""aiohttp server: a deadline around a thread ends the waiting, not the thread."""
import asyncio
import http.client
import os

from aiohttp import web


def fetch():
    source = http.client.HTTPConnection("127.0.0.1", int(os.environ["PEER_PORT"]))
    source.request("GET", "/rate")
    return source.getresponse().read()


async def rate(request):
    try:
        body = await asyncio.wait_for(asyncio.to_thread(fetch), 1)
    except (OSError, asyncio.TimeoutError) as exc:
        request.app.logger.warning("no rate: %r", exc)
        raise web.HTTPServiceUnavailable(headers={"Retry-After": "2"})
    return web.Response(body=body)


app = web.Application()
app.router.add_get("/rate", rate)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
