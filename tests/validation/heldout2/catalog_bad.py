# SPDX-License-Identifier: Apache-2.0
"""Opens its pool before it listens; when postgres is not there yet, that was it."""
import os
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI


@asynccontextmanager
async def lifespan(app):
    async with asyncpg.create_pool(host="127.0.0.1", port=int(os.environ["PG_PORT"]), user="mishap",
                                   database="postgres", timeout=2, command_timeout=2, min_size=1) as app.state.pool:
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/catalog/{page}")
async def catalog(page: int):
    return {"page": page, "of": await app.state.pool.fetchval("SELECT 12")}
