# SPDX-License-Identifier: Apache-2.0
"""A page of the guest book for each guest, written by pathlib."""
import logging
import os
import pathlib

from flask import Flask, jsonify

app = Flask(__name__)
data = pathlib.Path(os.environ["DATA"])


def save(page, book):
    page.write_text(book)


@app.route("/visit/<int:guest>", methods=["POST"])
def visit(guest):
    page = data / f"{guest}.json"
    try:
        save(page, f"guest {guest} says: " + "it was fine here. " * 60)
    except OSError as exc:
        logging.error("page of guest %d: %r", guest, exc)
        return jsonify(error="the book is full"), 507
    return jsonify(guest=guest, kept=True)


for number in range(1, 61):
    save(data / f"{number}.json", f"guest {number} says: nothing yet")
app.run(port=int(os.environ["PORT"]), threaded=True)
