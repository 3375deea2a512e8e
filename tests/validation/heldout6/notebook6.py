# SPDX-License-Identifier: Apache-2.0
"""Notes, in SQLite; when the disk is full, that is said."""
import logging
import os
import sqlite3

from flask import Flask, jsonify

app = Flask(__name__)
log = logging.getLogger("notebook")
PATH = os.path.join(os.environ["DATA"], "notes.db")


def connect():
    return sqlite3.connect(PATH, timeout=2)


with connect() as first:
    first.execute("CREATE TABLE IF NOT EXISTS notes (number INTEGER, text TEXT)")


@app.errorhandler(sqlite3.OperationalError)
def disk(exc):
    log.error("notes in %s", PATH, exc_info=exc)
    return jsonify(error="the notebook is full"), 507


@app.post("/note/<int:number>")
def note(number):
    db = connect()
    try:
        with db:
            db.execute("INSERT INTO notes VALUES (?, ?)", (number, "note " * 200))
    finally:
        db.close()
    return jsonify(note=number), 201
