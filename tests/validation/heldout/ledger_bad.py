# SPDX-License-Identifier: Apache-2.0
"""Flask over a psycopg2 pool: libpq waits as long as the server likes."""
import os

import psycopg2
import psycopg2.pool
from flask import Flask

app = Flask(__name__)
pool = psycopg2.pool.ThreadedConnectionPool(1, 8, os.environ["PG_DSN"])


@app.get("/balance/<int:account>")
def balance(account):
    connection = pool.getconn()
    broken = True
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("select %s * 7", (account,))
            value = cursor.fetchone()[0]
        broken = False
        return {"account": account, "balance": value}
    except psycopg2.Error:
        app.logger.exception("no balance of %s", account)
        return {"error": "ledger_unavailable"}, 503
    finally:
        pool.putconn(connection, close=broken)


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
