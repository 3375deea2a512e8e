# SPDX-License-Identifier: Apache-2.0
"""Flask over a psycopg2 pool: what is not acknowledged in two seconds is given up."""
import os

import psycopg2
import psycopg2.pool
from flask import Flask

app = Flask(__name__)
pool = psycopg2.pool.ThreadedConnectionPool(1, 8, os.environ["PG_DSN"] + " connect_timeout=2 tcp_user_timeout=2000")


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
