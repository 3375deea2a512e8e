# SPDX-License-Identifier: Apache-2.0
"""Stock and orders in PostgreSQL, stock cached in redis. Reading copes with the loss of either; ordering
believes in its database."""
import contextlib
import os

import psycopg2
import psycopg2.pool
import redis
from fastapi import FastAPI, HTTPException

app = FastAPI()
cache = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=0.5, socket_connect_timeout=0.5)
pool = psycopg2.pool.ThreadedConnectionPool(10, 40, os.environ["DATABASE_URL"], connect_timeout=2)


@contextlib.contextmanager
def cursor():
    connection = pool.getconn()
    try:
        with connection, connection.cursor() as c:
            yield c
    finally:
        pool.putconn(connection, close=bool(connection.closed))


with cursor() as setup:
    setup.execute("create table if not exists orders (id serial primary key, sku text)")


@app.get("/stock/{sku}")
def stock(sku: str):
    try:
        left = cache.get(sku)
        if left is not None:
            return {"sku": sku, "left": int(left), "from": "cache"}
    except redis.RedisError:
        pass
    try:
        with cursor() as c:
            c.execute("select 1000 - count(*) from orders where sku = %s", (sku,))
            left = c.fetchone()[0]
    except psycopg2.Error as exc:
        raise HTTPException(503, "no stock now", headers={"Retry-After": "2"}) from exc
    with contextlib.suppress(redis.RedisError):
        cache.setex(sku, 1, left)
    return {"sku": sku, "left": left}


@app.post("/orders/{sku}")
def order(sku: str):
    with cursor() as c:
        c.execute("insert into orders (sku) values (%s) returning id", (sku,))
        return {"order": c.fetchone()[0]}
