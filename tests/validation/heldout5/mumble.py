# SPDX-License-Identifier: Apache-2.0
"""Something failed, it says; not what, nor where."""
import logging
import os
import urllib.request

from flask import Flask, jsonify

app = Flask(__name__)


@app.route("/tide/<int:day>")
def tide(day):
    try:
        with urllib.request.urlopen(f"{os.environ['PEER']}/tide/{day}", timeout=2) as answer:
            return jsonify(day=day, tide=answer.read().decode())
    except OSError:
        logging.error("something went wrong")
        return jsonify(error="no tide"), 503


app.run(port=int(os.environ["PORT"]), threaded=True)
