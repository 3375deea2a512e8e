# SPDX-License-Identifier: Apache-2.0
"""Balance look-ups over one connection that is opened when the service starts."""
import os

import psycopg2
from flask import Flask, jsonify

app = Flask(__name__)
connection = psycopg2.connect(os.environ["PG_DSN"] + " connect_timeout=2 tcp_user_timeout=2000 options='-c statement_timeout=2000'")
connection.autocommit = True


@app.route("/balance/<int:account>")
def balance(account):
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s * 100", (account,))
        return jsonify(account=account, cents=cursor.fetchone()[0])


app.run(port=int(os.environ["PORT"]), threaded=False)
