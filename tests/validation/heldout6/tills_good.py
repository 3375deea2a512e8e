# SPDX-License-Identifier: Apache-2.0
"""Charges a card at the bank; what fails is tried once or twice more."""
import logging
import os

import aiohttp
from aiohttp import web
from tenacity import (AsyncRetrying, before_sleep_log, retry_if_exception_type, stop_after_attempt,
                      wait_random_exponential)

log = logging.getLogger("tills")
BANK = os.environ["PEER"]


async def charge(session, order):
    async for attempt in AsyncRetrying(retry=retry_if_exception_type(aiohttp.ClientConnectorError), reraise=True,
                                       stop=stop_after_attempt(3), wait=wait_random_exponential(multiplier=0.1, max=1),
                                       before_sleep=before_sleep_log(log, logging.WARNING, exc_info=True)):
        with attempt:
            async with session.post(f"{BANK}/charges", json={"order": order, "cents": 1250}) as answer:
                answer.raise_for_status()
                return await answer.json()


async def pay(request):
    order = int(request.match_info["order"])
    try:
        taken = await charge(request.app["session"], order)
    except aiohttp.ClientError as exc:
        log.error("order %d is not known to be paid", order, exc_info=exc)
        return web.json_response({"order": order, "error": "bank unavailable"}, status=502)
    return web.json_response({"order": order, **taken}, status=201)


async def client(app):
    app["session"] = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2))
    yield
    await app["session"].close()


app = web.Application()
app.cleanup_ctx.append(client)
app.router.add_post("/pay/{order}", pay)
if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
