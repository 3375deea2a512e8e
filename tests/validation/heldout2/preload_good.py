# SPDX-License-Identifier: Apache-2.0
"""Started with --preload: the pool is made in the master, connections in the worker that needs them."""
import os

import psycopg2.pool

pools = {}


def pool():
    if os.getpid() not in pools:
        pools[os.getpid()] = psycopg2.pool.ThreadedConnectionPool(
            0, 4, os.environ["PG_DSN"] + " connect_timeout=2 tcp_user_timeout=2000 options='-c statement_timeout=3000'")
    return pools[os.getpid()]


def app(environ, start_response):
    db = pool().getconn()
    try:
        with db, db.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_class")
            body = str(cursor.fetchone()[0]).encode()
    finally:
        pool().putconn(db)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
