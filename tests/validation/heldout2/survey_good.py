# SPDX-License-Identifier: Apache-2.0
"""Answers of a survey, into postgres; who answers is told when that failed."""
import os

import psycopg2
from flask import Flask, jsonify, request

app = Flask(__name__)
DSN = os.environ["PG_DSN"] + " connect_timeout=2 tcp_user_timeout=2000 options='-c statement_timeout=2000'"


def execute(statement, *values):
    db = psycopg2.connect(DSN)
    try:
        with db, db.cursor() as cursor:
            cursor.execute(statement, values)
    finally:
        db.close()


execute("CREATE TABLE IF NOT EXISTS survey (question int, text varchar)")


@app.post("/answer/<int:question>")
def answer(question):
    try:
        execute("INSERT INTO survey VALUES (%s, %s)", question, request.get_data(as_text=True))
    except psycopg2.Error:
        app.logger.exception("answer to %d is lost", question)
        return jsonify(error="not saved, please send it again"), 503, {"Retry-After": "5"}
    return {"thanks": True}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]))
