# SPDX-License-Identifier: Apache-2.0
"""Beds of a ward, out of postgres, through a pool of three connections."""
import logging
import os

import psycopg
from flask import Flask, jsonify
from psycopg_pool import ConnectionPool

app = Flask(__name__)
log = logging.getLogger("patients")
pool = ConnectionPool(os.environ["PG_DSN"] + " connect_timeout=2 tcp_user_timeout=2000", min_size=3, max_size=3,
                      timeout=1, open=True, kwargs={"autocommit": True, "options": "-c statement_timeout=2000"})
QUERY = "SELECT n FROM generate_series(1, %s) AS n"


@app.errorhandler(psycopg.Error)
def database_down(exc):
    log.error("database", exc_info=exc)
    return jsonify(error="database unavailable"), 503, {"Retry-After": "2"}


@app.get("/ward/<int:ward>")
def beds(ward):
    connection = pool.getconn()
    rows = connection.execute(QUERY, (ward,)).fetchall()
    pool.putconn(connection)
    return jsonify(ward=ward, beds=[n for (n,) in rows])
