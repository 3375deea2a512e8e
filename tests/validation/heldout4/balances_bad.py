# SPDX-License-Identifier: Apache-2.0
"""Balances out of postgres, through asyncpg's pool."""
import asyncio
import logging
import os

import asyncpg
from aiohttp import web


async def pool(app):
    words = dict(part.split("=") for part in os.environ["PG_DSN"].split())
    app["pool"] = await asyncpg.create_pool(host=words["host"], port=int(words["port"]), user=words["user"],
                                            database=words["dbname"], min_size=12, max_size=40, timeout=2)
    yield
    app["pool"].terminate()


async def balance(request):
    account = int(request.match_info["account"])
    try:
        async with request.app["pool"].acquire() as db:
            cents = await db.fetchval("SELECT $1::int * 100", account)
    except (OSError, asyncpg.PostgresError, asyncio.TimeoutError) as exc:
        logging.warning("ledger failed for %d: %r", account, exc)
        return web.json_response({"error": "try again later"}, status=503, headers={"Retry-After": "5"})
    return web.json_response({"account": account, "cents": cents})


logging.basicConfig()
app = web.Application()
app.cleanup_ctx.append(pool)
app.router.add_get("/balance/{account}", balance)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
