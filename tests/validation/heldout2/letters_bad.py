# SPDX-License-Identifier: Apache-2.0
"""Reads redis with a few lines of its own over one connection."""
import asyncio
import logging
import os

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route


class Line:
    """One connection, one command at a time."""

    def __init__(self):
        self.lock, self.streams = asyncio.Lock(), None

    async def ask(self, *words):
        if self.streams is None:
            self.streams = await asyncio.open_connection("127.0.0.1", int(os.environ["REDIS_PORT"]))
        reader, writer = self.streams
        writer.write(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        return (await reader.readline()).strip()

    async def call(self, *words):
        async with self.lock:
            return await asyncio.wait_for(self.ask(*words), 0.3)


line = Line()


async def echo(request):
    wanted = request.path_params["word"]
    try:
        got = await line.call(b"APPEND", b"word:" + wanted.encode(), b"x")
    except (OSError, asyncio.TimeoutError) as exc:
        logging.warning("redis did not answer for %s: %r", wanted, exc)
        return JSONResponse({"error": "counter unavailable"}, 503, {"Retry-After": "1"})
    return JSONResponse({"word": wanted, "seen": got.decode()})


app = Starlette(routes=[Route("/echo/{word}", echo)])
