# SPDX-License-Identifier: Apache-2.0
"""A ticker over streams of asyncio."""
import asyncio
import logging
import os

from aiohttp import web


class Exchange:
    def __init__(self, port):
        self.port = port

    async def last(self, paper):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(b"GET /%s HTTP/1.1\r\nHost: peer\r\nConnection: close\r\n\r\n" % paper.encode())
            return (await reader.read(-1)).partition(b"\r\n\r\n")[2].decode()
        finally:
            writer.close()


exchange = Exchange(int(os.environ["PEER_PORT"]))


async def last(request):
    try:
        return web.json_response({"last": await exchange.last(request.match_info["paper"])})
    except (OSError, asyncio.TimeoutError) as exc:
        logging.error("exchange at port %d: %r", exchange.port, exc)
        return web.json_response({"error": "no price"}, status=503)


app = web.Application()
app.router.add_get("/last/{paper}", last)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
