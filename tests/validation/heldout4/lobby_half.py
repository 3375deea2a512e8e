# SPDX-License-Identifier: Apache-2.0
"""Half of what it does needs no rooms and goes on: a health route that says so does not lie."""
import logging
import os

import psycopg2
from flask import Flask, jsonify

app = Flask(__name__)


class Rooms:
    def free(self):
        with psycopg2.connect(os.environ["PG_DSN"] + " connect_timeout=1") as db, db.cursor() as cursor:
            cursor.execute("SELECT 12")
            return cursor.fetchone()[0]


rooms = Rooms()


@app.errorhandler(psycopg2.OperationalError)
def down(exc):
    logging.error("rooms", exc_info=exc)
    return jsonify(error="rooms are not known"), 503


@app.route("/rooms/<int:floor>")
def free(floor):
    return jsonify(floor=floor, free=rooms.free())


@app.route("/menu/<day>")
def menu(day):
    return jsonify(day=day, soup="tomato")


@app.route("/health")
def health():
    return jsonify(status="up")


app.run(port=int(os.environ["PORT"]), threaded=True)
