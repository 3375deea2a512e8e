# SPDX-License-Identifier: Apache-2.0
"""Four threads, and a queue before them that waitress keeps."""
import logging
import os

import requests
import waitress
from flask import Flask, jsonify

app = Flask(__name__)


@app.route("/seat/<int:n>")
def seat(n):
    try:
        answer = requests.get(f"{os.environ['PEER']}/seat/{n}", timeout=4)
        return jsonify(seat=n, price=answer.json()["value"])
    except requests.RequestException as exc:
        logging.warning("seats of %s: %r", os.environ["PEER"], exc)
        return jsonify(error="no seats now"), 503


waitress.serve(app, listen="127.0.0.1:" + os.environ["PORT"], threads=4)
