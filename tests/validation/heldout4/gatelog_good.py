# SPDX-License-Identifier: Apache-2.0
"""Who went in: each entry is noted in a log of its own, below the log folder."""
import logging
import os

from flask import Flask, jsonify

app = Flask(__name__)


journal = logging.getLogger("entries")
journal.addHandler(logging.FileHandler(os.path.join(os.environ["DATA"], "entries.log")))
journal.setLevel(logging.INFO)


@app.route("/enter/<int:gate>")
def enter(gate):
    journal.info("entry at gate %d", gate)
    return jsonify(gate=gate, open=True)


app.run(port=int(os.environ["PORT"]), threaded=True)
