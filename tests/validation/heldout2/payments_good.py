# SPDX-License-Identifier: Apache-2.0
"""Balance look-ups over one connection that is opened anew when it was lost."""
import os

import psycopg2
from flask import Flask, jsonify

app = Flask(__name__)
held = []


def connection():
    if not held:
        new = psycopg2.connect(os.environ["PG_DSN"] + " connect_timeout=2 tcp_user_timeout=2000 options='-c statement_timeout=2000'")
        new.autocommit = True
        held.append(new)
    return held[0]


@app.errorhandler(psycopg2.Error)
def lost(exc):
    app.logger.exception("database failed")
    while held:
        held.pop().close()
    return jsonify(error="database unavailable"), 503, {"Retry-After": "1"}


@app.route("/balance/<int:account>")
def balance(account):
    with connection().cursor() as cursor:
        cursor.execute("SELECT %s * 100", (account,))
        return jsonify(account=account, cents=cursor.fetchone()[0])


app.run(port=int(os.environ["PORT"]), threaded=False)
