# SPDX-License-Identifier: Apache-2.0
"""Events are shipped to a collector; those that it does not take wait, and are tried again."""
import asyncio
import logging
import os

import aiohttp
from aiohttp import web


class Shipper:
    def __init__(self, base):
        self.base, self.waiting = base, asyncio.Queue()

    async def start(self, app):
        self.http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=1))
        again = asyncio.create_task(self.again())
        yield
        again.cancel()
        await self.http.close()

    async def ship(self, event):
        async with self.http.put(self.base + "/event", data=event) as answer:
            answer.raise_for_status()

    async def again(self):
        while True:
            event = await self.waiting.get()
            try:
                await self.ship(event)
            except (aiohttp.ClientError, asyncio.TimeoutError):
                self.waiting.put_nowait(event)
                await asyncio.sleep(1)


async def take(request):
    shipper, event = request.app["shipper"], os.urandom(40000)
    try:
        await shipper.ship(event)
        return web.json_response({"taken": True})
    except (aiohttp.ClientError, asyncio.TimeoutError) as exc:
        logging.warning("collector %s failed: %r", shipper.base, exc)
    shipper.waiting.put_nowait(event)
    return web.json_response({"taken": "later"}, status=202)


app = web.Application()
app["shipper"] = Shipper(os.environ["PEER"])
app.cleanup_ctx.append(app["shipper"].start)
app.router.add_post("/event", take)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
