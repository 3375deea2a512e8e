# SPDX-License-Identifier: Apache-2.0
"""Balances, on four connections that are kept in a queue."""
import logging
import os
import queue

import psycopg2
from flask import Flask

app = Flask(__name__)
log = logging.getLogger("wallet")
DSN = os.environ["PG_DSN"] + " connect_timeout=2 tcp_user_timeout=2000 options='-c statement_timeout=2000'"


def connect():
    db = psycopg2.connect(DSN)
    db.autocommit = True
    return db


pool = queue.Queue()
for _ in range(4):
    pool.put(connect())


def ask(db, number):
    with db.cursor() as cursor:
        cursor.execute("SELECT %s * 3", (number,))
        return cursor.fetchone()[0]


@app.get("/balance/<int:number>")
def balance(number):
    db = pool.get(timeout=3)
    try:
        try:
            return {"balance": ask(db, number)}
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as exc:
            log.warning("a connection is dead, a new one", exc_info=exc)
            db.close()
            db = connect()
        return {"balance": ask(db, number)}
    except psycopg2.Error as exc:
        log.error("no balance", exc_info=exc)
        return {"error": "bank_closed"}, 503
    finally:
        pool.put(db)


@app.get("/ready")
def ready():
    try:
        connect().close()
    except psycopg2.Error as exc:
        log.warning("not ready", exc_info=exc)
        return "no", 503
    return "yes"
