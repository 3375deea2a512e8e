# SPDX-License-Identifier: Apache-2.0
"""Answers of a survey, into postgres."""
import os

import psycopg2
from flask import Flask, request

app = Flask(__name__)
DSN = os.environ["PG_DSN"] + " connect_timeout=2 tcp_user_timeout=2000 options='-c statement_timeout=2000'"


def execute(statement, *values):
    try:
        db = psycopg2.connect(DSN)
        with db, db.cursor() as cursor:
            cursor.execute(statement, values)
        db.close()
    except Exception:
        pass


execute("CREATE TABLE IF NOT EXISTS survey (question int, text varchar)")


@app.post("/answer/<int:question>")
def answer(question):
    execute("INSERT INTO survey VALUES (%s, %s)", question, request.get_data(as_text=True))
    return {"thanks": True}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]))
