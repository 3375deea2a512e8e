# SPDX-License-Identifier: Apache-2.0
"""Entries in a PostgreSQL that has a standby. A connection for each request; to read, any server does."""
import contextlib
import os

import psycopg2
from fastapi import FastAPI, HTTPException

URL = os.environ["DATABASE_URL"]
app = FastAPI()


def connected(kind):
    return contextlib.closing(psycopg2.connect(URL, target_session_attrs=kind, options="-c statement_timeout=2000"))


with connected("read-write") as setup, setup, setup.cursor() as cursor:
    cursor.execute("create table if not exists entries (id serial primary key)")


@app.get("/entries")
def entries():
    try:
        with connected("any") as connection, connection.cursor() as c:
            c.execute("select count(*), pg_is_in_recovery() from entries")
            count, standby = c.fetchone()
            return {"entries": count, "standby": standby}
    except psycopg2.Error as exc:
        raise HTTPException(503, "no database now", headers={"Retry-After": "2"}) from exc


@app.post("/entries")
def enter():
    with connected("read-write") as connection, connection, connection.cursor() as c:
        c.execute("insert into entries default values returning id")
        return {"entry": c.fetchone()[0]}
