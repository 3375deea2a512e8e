# SPDX-License-Identifier: Apache-2.0
"""Numbers out of postgres, through a pool of two connections."""
import asyncio
import logging
import os
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

log = logging.getLogger("numbers")
WHERE = dict(word.split("=") for word in os.environ["PG_DSN"].split())


@asynccontextmanager
async def lifespan(app):
    app.state.pool = await asyncpg.create_pool(host=WHERE["host"], port=int(WHERE["port"]), user=WHERE["user"],
                                               database=WHERE["dbname"], min_size=2, max_size=2)
    yield
    app.state.pool.terminate()


app = FastAPI(lifespan=lifespan)


@app.exception_handler(TimeoutError)
async def busy(request: Request, exc: TimeoutError):
    log.warning("database, %s: %r", request.url.path, exc)
    return JSONResponse({"error": "database is slow"}, 503, headers={"Retry-After": "2"})


@app.get("/numbers/{most}")
async def numbers(most: int):
    pool = app.state.pool
    connection = await pool.acquire(timeout=1)
    try:
        async with asyncio.timeout(2):
            rows = await connection.fetch("SELECT n FROM generate_series(1, $1) AS n", most)
    except BaseException:
        connection.terminate()  # its answer may still come
        raise
    finally:
        await pool.release(connection, timeout=1)
    return [row["n"] for row in rows]
