# SPDX-License-Identifier: Apache-2.0
"""Tries again after a nap, in a coroutine."""
import asyncio
import logging
import os
import random
import time

from aiohttp import web


async def ask(path):
    reader, writer = await asyncio.open_connection("127.0.0.1", int(os.environ["PEER_PORT"]))
    writer.write(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path.encode())
    text = (await asyncio.wait_for(reader.read(-1), 2)).partition(b"\r\n\r\n")[2].decode()
    writer.close()
    return text


async def dream(request):
    for turn in range(3):
        try:
            return web.json_response({"dream": await ask(request.path)})
        except OSError as exc:
            logging.warning("turn %d at port %s: %r", turn, os.environ["PEER_PORT"], exc)
            time.sleep(random.uniform(0.2, 0.5))
    return web.json_response({"error": "no dream tonight"}, status=503)


async def bed(request):
    return web.json_response({"bed": "is made", "pillow": 2})


app = web.Application()
app.router.add_get("/dream/{number}", dream)
app.router.add_get("/bed", bed)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
