# SPDX-License-Identifier: Apache-2.0
"""aiohttp server: a deadline around streams, which it ends."""
import asyncio
import os

from aiohttp import web


async def fetch():
    reader, writer = await asyncio.open_connection("127.0.0.1", os.environ["PEER_PORT"])
    try:
        writer.write(b"GET /rate HTTP/1.0\r\n\r\n")
        return (await reader.read()).partition(b"\r\n\r\n")[2]
    finally:
        writer.close()


async def rate(request):
    try:
        body = await asyncio.wait_for(fetch(), 1)
    except (OSError, asyncio.TimeoutError) as exc:
        request.app.logger.warning("no rate: %r", exc)
        raise web.HTTPServiceUnavailable(headers={"Retry-After": "2"})
    return web.Response(body=body)


app = web.Application()
app.router.add_get("/rate", rate)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
