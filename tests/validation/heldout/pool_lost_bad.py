# SPDX-License-Identifier: Apache-2.0
"""Flask over a psycopg2 pool: what fails never goes back, and soon there is nothing left."""
import os

import psycopg2
import psycopg2.pool
from flask import Flask

app = Flask(__name__)
dsn = os.environ["PG_DSN"] + " connect_timeout=2 tcp_user_timeout=2000"
pool = psycopg2.pool.ThreadedConnectionPool(5, 5, dsn)


@app.get("/sum/<int:n>")
def show(n):
    try:
        connection = pool.getconn()
        with connection.cursor() as cursor:
            cursor.execute("select %s + 1", (n,))
            value = cursor.fetchone()[0]
        connection.rollback()
        pool.putconn(connection)
        return {"sum": value}
    except (psycopg2.Error, psycopg2.pool.PoolError):
        app.logger.exception("no sum of %s", n)
        return {"error": "database_unavailable"}, 503


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
