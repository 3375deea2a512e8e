# SPDX-License-Identifier: Apache-2.0
"""A travel agency: flights (a blocking call in a coroutine), wishes (which may get lost), opening hours."""
import logging
import os

import aiohttp
import requests
from aiohttp import web

log = logging.getLogger("agency")
PEER = os.environ["PEER"]


async def flight(request):
    try:
        answer = requests.get(f"{PEER}/flights/{request.match_info['number']}", timeout=(1, 3))
        return web.json_response(answer.json())
    except requests.RequestException as exc:
        log.error("flights", exc_info=exc)
        return web.json_response({"error": "no flights"}, status=503, headers={"Retry-After": "5"})


async def wish(request):
    try:
        async with request.app["session"].post(f"{PEER}/wishes", json={"wish": request.match_info["number"]}) as answer:
            answer.raise_for_status()
    except aiohttp.ClientError:
        pass
    return web.json_response({"wish": request.match_info["number"], "status": "noted"}, status=201)


async def hours(request):
    return web.json_response({"open": "9-17"})


async def client(app):
    app["session"] = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3))
    yield
    await app["session"].close()


app = web.Application()
app.cleanup_ctx.append(client)
app.add_routes([web.get("/flight/{number}", flight), web.post("/wish/{number}", wish), web.get("/hours", hours)])
if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
