# SPDX-License-Identifier: Apache-2.0
"""Says whether a domain can be mailed to, and what time it is."""
import asyncio
import logging
import os
import socket
import time

from aiohttp import web


class Resolver:
    def address(self, name):
        return socket.gethostbyname(name)

    async def find(self, name):
        return self.address(name)


resolver = Resolver()


async def domain(request):
    try:
        return web.json_response({"address": await resolver.find("localhost")})
    except OSError as exc:
        logging.warning("look-up of localhost failed: %r", exc)
        return web.json_response({"error": "cannot tell"}, status=503)


async def clock(request):
    return web.json_response({"time": int(time.time()) // 1000000})


app = web.Application()
app.add_routes([web.get("/domain/{name}", domain), web.get("/clock", clock)])
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
