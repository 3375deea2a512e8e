# SPDX-License-Identifier: Apache-2.0
"""Members of a club, whose pictures may be missing."""
import os

import redis.asyncio as redis
import structlog
from aiohttp import web

log = structlog.get_logger()


class Pictures:
    """A repository. What it does not have, it does not have."""

    def __init__(self, url):
        self.redis = redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1)

    async def of(self, member):
        try:
            return await self.redis.get(f"picture:{member}")
        except redis.RedisError as exc:
            return None


async def member(request):
    number = int(request.match_info["number"])
    picture = await request.app["pictures"].of(number)
    return web.json_response({"member": number, "picture": picture and picture.decode()})


async def begin(app):
    app["pictures"] = Pictures(os.environ["REDIS_URL"])
    await app["pictures"].redis.mset({f"picture:{n}": f"/p/{n}.png" for n in range(1, 10)})


structlog.configure(processors=[structlog.processors.add_log_level, structlog.processors.format_exc_info,
                                structlog.processors.JSONRenderer()])
app = web.Application()
app.on_startup.append(begin)
app.router.add_get("/member/{number}", member)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
