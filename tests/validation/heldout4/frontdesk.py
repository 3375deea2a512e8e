# SPDX-License-Identifier: Apache-2.0
"""Busy, and each request that fails leaves one line: many lines, but none too many."""
import logging
import os

import requests
from flask import Flask, jsonify

app = Flask(__name__)


@app.route("/guest/<int:n>")
def guest(n):
    try:
        return jsonify(guest=n, room=requests.get(os.environ["PEER"] + "/rooms", timeout=1).json()["value"])
    except requests.RequestException:
        logging.exception("the rooms of %s cannot be asked", os.environ["PEER"])
        return jsonify(error="no rooms now"), 503


app.run(port=int(os.environ["PORT"]), threaded=True)
