# SPDX-License-Identifier: Apache-2.0
"""One connection of psycopg2 for the life of the process."""
import os

import psycopg2
from flask import Flask

app = Flask(__name__)
connection = psycopg2.connect(os.environ["PG_DSN"] + " connect_timeout=2 tcp_user_timeout=2000")
connection.autocommit = True


@app.route("/sum/<int:n>")
def total(n):
    try:
        with connection.cursor() as cursor:
            cursor.execute("select %s + 1", (n,))
            return {"sum": cursor.fetchone()[0]}
    except psycopg2.Error as exc:
        app.logger.error("no sum: %r", exc)
        return {"error": "database unavailable"}, 503, {"Retry-After": "2"}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=False)
