# SPDX-License-Identifier: Apache-2.0
"""Flask over a psycopg2 connection each; one that cannot be had is asked for once more."""
import os
import random
import time

import psycopg2
from flask import Flask

app = Flask(__name__)
dsn = os.environ["PG_DSN"] + " connect_timeout=2 tcp_user_timeout=2000"


def ask(n):
    try:
        connection = psycopg2.connect(dsn)
    except psycopg2.OperationalError as exc:
        app.logger.warning("once more: %r", exc)
        time.sleep(random.uniform(0.05, 0.2))
        connection = psycopg2.connect(dsn)
    try:
        with connection.cursor() as cursor:
            cursor.execute("select %s + 1", (n,))
            return cursor.fetchone()[0]
    finally:
        connection.close()


@app.get("/next/<int:n>")
def after(n):
    try:
        return {"next": ask(n)}
    except psycopg2.OperationalError as exc:
        app.logger.warning("no next of %s: %r", n, exc)
        return {"error": "database_unavailable"}, 503, {"Retry-After": "1"}


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
