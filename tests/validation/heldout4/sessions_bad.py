# SPDX-License-Identifier: Apache-2.0
"""Sessions, over streams of asyncio that speak redis by hand."""
import asyncio
import logging
import os

from aiohttp import web


class Store:
    def __init__(self, port):
        self.port, self.free = port, asyncio.LifoQueue()

    async def open(self):
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def echo(self, word):
        line = await self.free.get()
        try:
            return await asyncio.wait_for(self.exchange(line, word), 0.25)
        finally:
            self.free.put_nowait(line)

    async def exchange(self, line, word):
        reader, writer = line
        writer.write(b"ECHO %s\r\n" % word.encode())
        size = int((await reader.readuntil(b"\r\n"))[1:])
        return (await reader.readexactly(size + 2))[:-2].decode()


async def session(request):
    try:
        return web.json_response({"session": await request.app["store"].echo(request.match_info["key"])})
    except (OSError, ValueError, EOFError, asyncio.TimeoutError) as exc:
        logging.warning("session store at port %d: %r", request.app["store"].port, exc)
        return web.json_response({"error": "no session"}, status=503)


async def connect(app):
    app["store"] = Store(int(os.environ["REDIS_PORT"]))
    for _ in range(3):
        app["store"].free.put_nowait(await app["store"].open())


app = web.Application()
app.on_startup.append(connect)
app.router.add_get("/session/{key}", session)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
