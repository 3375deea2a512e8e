# SPDX-License-Identifier: Apache-2.0
"""Orders out of postgres; when it cannot be reached, come back later."""
import logging
import os

import psycopg
from flask import Flask, jsonify

app = Flask(__name__)
DSN = os.environ["PG_DSN"] + " connect_timeout=2 tcp_user_timeout=2000 options='-c statement_timeout=2000'"


@app.errorhandler(psycopg.OperationalError)
def down(exc):
    logging.error("orders database", exc_info=exc)
    return jsonify(error="database unavailable"), 503, {"Retry-After": "5"}


@app.get("/orders/<int:customer>")
def orders(customer):
    with psycopg.connect(DSN) as db:
        rows = db.execute("SELECT n FROM generate_series(1, %s) AS n", (customer,)).fetchall()
    return [n for (n,) in rows]
