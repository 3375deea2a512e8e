# SPDX-License-Identifier: Apache-2.0
"""A service that runs before mishap comes: asks redis on one connection it keeps, in a coroutine at /loop
and in a thread at /thread; answers 503 when redis fails. attached_app.py PORT REDIS_PORT"""

import sys

import redis
import redis.asyncio
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

PORT, REDIS = int(sys.argv[1]), int(sys.argv[2])
threads = redis.Redis(host="localhost", port=REDIS)
loop = redis.asyncio.Redis(host="localhost", port=REDIS)


async def in_loop(request):
    try:
        await loop.incr("loop")
    except redis.exceptions.ConnectionError as e:
        return PlainTextResponse(type(e).__name__, 503)
    return PlainTextResponse("ok")


def in_thread(request):
    try:
        threads.incr("thread")
    except redis.exceptions.ConnectionError as e:
        return PlainTextResponse(type(e).__name__, 503)
    return PlainTextResponse("ok")


uvicorn.run(Starlette(routes=[Route("/loop", in_loop), Route("/thread", in_thread)]), host="127.0.0.1", port=PORT,
            log_level="warning")
