# SPDX-License-Identifier: Apache-2.0
"""Invoices, rendered by somebody else. Two workers, which gunicorn gives three seconds for each request."""
import logging
import os

import requests
from flask import Flask, jsonify

app = Flask(__name__)
session = requests.Session()


@app.route("/invoice/<int:number>")
def invoice(number):
    try:
        answer = session.get(f"{os.environ['PEER']}/render/{number}", timeout=1)
        answer.raise_for_status()
    except requests.RequestException as exc:
        logging.warning("renderer at %s: %r", os.environ["PEER"], exc)
        return jsonify(error="cannot render now"), 503
    return jsonify(number=number, rendered=answer.json()["value"])
