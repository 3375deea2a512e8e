# SPDX-License-Identifier: Apache-2.0
"""A diary that only grows, line by line; a line that does not fit is cut off again."""
import logging
import os
import threading

from flask import Flask, jsonify

app = Flask(__name__)
turn = threading.Lock()
book = os.open(os.path.join(os.environ["DATA"], "diary.txt"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)


@app.route("/line/<int:number>", methods=["POST"])
def line(number):
    text = b"line %d: nothing happened\n" % number
    with turn:
        size = os.fstat(book).st_size
        try:
            if os.write(book, text) < len(text):
                raise OSError(28, "only a part of the line fits")
            return jsonify(line=number, kept=True)
        except OSError as exc:
            os.ftruncate(book, size)
            logging.error("line %d: %r", number, exc)
    return jsonify(error="the diary is full"), 507


app.run(port=int(os.environ["PORT"]), threaded=True)
