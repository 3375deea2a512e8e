# SPDX-License-Identifier: Apache-2.0
"""aiohttp server; an error waits in a future until somebody asks for it, and is told then."""
import asyncio
import os
import urllib.request

from aiohttp import web


def fetch():
    with urllib.request.urlopen(os.environ["PEER"] + "/data", timeout=1) as answer:
        return answer.read()


async def show(request):
    waiting = asyncio.ensure_future(asyncio.to_thread(fetch))
    await asyncio.sleep(0.3)
    (found,) = await asyncio.gather(waiting, return_exceptions=True)
    if isinstance(found, OSError):
        request.app.logger.warning("no data: %r", found)
        raise web.HTTPServiceUnavailable(headers={"Retry-After": "2"})
    return web.Response(body=found)


app = web.Application()
app.router.add_get("/show", show)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
