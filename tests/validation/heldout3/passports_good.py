# SPDX-License-Identifier: Apache-2.0
"""Names of holders out of postgres."""
import logging
import os

import psycopg2
from flask import Flask

app = Flask(__name__)
log = logging.getLogger("passports")
DSN = os.environ["PG_DSN"] + " connect_timeout=2 tcp_user_timeout=2000 options='-c statement_timeout=2000'"
known = {}


def holder(number):
    db = psycopg2.connect(DSN)
    try:
        with db.cursor() as cursor:
            cursor.execute("SELECT 'holder ' || %s", (number,))
            return cursor.fetchone()[0]
    finally:
        db.close()


@app.get("/passports/<int:number>")
def passport(number):
    try:
        name = holder(number)
    except psycopg2.OperationalError as exc:
        log.warning("postgres is away", exc_info=exc)
        if number in known:
            return {"number": number, "holder": known[number]}, 200, {"Warning": "110 - stale"}
        return {"error": "registry_down"}, 503, {"Retry-After": "5"}
    known[number] = name
    return {"number": number, "holder": name}
