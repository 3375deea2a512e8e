# SPDX-License-Identifier: Apache-2.0
"""Opens its pool before it listens, and waits for a postgres that is not there yet."""
import asyncio
import logging
import os
import random
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI

log = logging.getLogger("uvicorn.error")


async def pool():
    pause = 0.3
    while True:
        try:
            return await asyncpg.create_pool(host="127.0.0.1", port=int(os.environ["PG_PORT"]), user="mishap",
                                             database="postgres", timeout=2, command_timeout=2, min_size=1)
        except OSError as exc:
            log.warning("postgres is not there yet: %r", exc)
            await asyncio.sleep(random.uniform(pause / 2, pause))
            pause = min(2, 2 * pause)


@asynccontextmanager
async def lifespan(app):
    app.state.pool = await pool()
    yield
    await app.state.pool.close()


app = FastAPI(lifespan=lifespan)


@app.get("/catalog/{page}")
async def catalog(page: int):
    return {"page": page, "of": await app.state.pool.fetchval("SELECT 12")}
