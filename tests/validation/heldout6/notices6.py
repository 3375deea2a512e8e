# SPDX-License-Identifier: Apache-2.0
"""The last notice, as it came over a channel of redis that a task listens to, and that is silent most of the time."""
import asyncio
import os
from contextlib import asynccontextmanager, suppress

import redis.asyncio as redis
from fastapi import FastAPI

store = redis.Redis.from_url(os.environ["REDIS_URL"], socket_connect_timeout=2, socket_timeout=None)
last = {"notice": None}


async def listen():
    async with store.pubsub() as channel:
        await channel.subscribe("notices")
        async for message in channel.listen():
            if message["type"] == "message":
                last["notice"] = message["data"].decode()


@asynccontextmanager
async def lifespan(app):
    task = asyncio.create_task(listen())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


app = FastAPI(lifespan=lifespan)


@app.get("/notice/{board}")
async def notice(board: int):
    return {"board": board, **last}


@app.post("/notice/{number}")
async def say(number: int):
    async with asyncio.timeout(2):
        return {"heard": await store.publish("notices", f"notice {number}")}
