# SPDX-License-Identifier: Apache-2.0
"""Who went in: each entry is noted in a log of its own, below the log folder."""
import logging
import os

from flask import Flask, jsonify

app = Flask(__name__)


class Journal:
    def __init__(self, path):
        self.path = path

    def note(self, text):
        with open(self.path, "a", encoding="utf-8") as out:
            out.write(text + "\n")


journal = Journal(os.path.join(os.environ["DATA"], "entries.log"))


@app.route("/enter/<int:gate>")
def enter(gate):
    journal.note(f"entry at gate {gate}")
    return jsonify(gate=gate, open=True)


app.run(port=int(os.environ["PORT"]), threaded=True)
