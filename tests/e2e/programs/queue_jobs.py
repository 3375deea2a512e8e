# SPDX-License-Identifier: Apache-2.0
"""The same three tasks for RQ, Dramatiq and arq: one that is well, one that fails, one that is tried
again. `python queue_jobs.py FRAMEWORK` sends them, the first TIMES times; the workers are
the frameworks' own commands, or `python queue_jobs.py FRAMEWORK work`. STORE is the redis."""

import asyncio
import os
import sys

import redis

FRAMEWORK = os.environ["FRAMEWORK"]
URL = os.environ["STORE"]
TIMES = int(os.environ.get("TIMES", 3))
store = redis.Redis.from_url(URL)


def well(key):
    store.incr(key)


def bad():
    store.get("x")
    raise KeyError("SECRET-in-an-error")


if FRAMEWORK == "dramatiq":
    import dramatiq
    from dramatiq.brokers.redis import RedisBroker

    dramatiq.set_broker(RedisBroker(url=URL))
    well = dramatiq.actor(max_retries=0)(well)
    bad = dramatiq.actor(max_retries=0)(bad)
elif FRAMEWORK == "arq":
    from arq.connections import RedisSettings

    async def arq_well(ctx, key):
        await ctx["redis"].incr(key)

    async def arq_bad(ctx):
        raise KeyError("SECRET-in-an-error")

    class WorkerSettings:
        functions = [arq_well, arq_bad]
        redis_settings = RedisSettings.from_dsn(URL)
        max_tries = 1


def send():
    if FRAMEWORK == "rq":
        import rq

        import queue_jobs

        q = rq.Queue(connection=store)
        for _ in range(TIMES):
            q.enqueue(queue_jobs.well, "SECRET-key")
        q.enqueue(queue_jobs.bad)
    elif FRAMEWORK == "dramatiq":
        import queue_jobs

        for _ in range(TIMES):
            queue_jobs.well.send("SECRET-key")
        queue_jobs.bad.send()
    else:
        from arq import create_pool

        async def all_of_them():
            pool = await create_pool(RedisSettings.from_dsn(URL))
            for _ in range(TIMES):
                print((await pool.enqueue_job("arq_well", "SECRET-key")).job_id)
            print((await pool.enqueue_job("arq_bad")).job_id)

        asyncio.run(all_of_them())


if __name__ == "__main__":
    send()
