# SPDX-License-Identifier: Apache-2.0
"""Rates from one server; without it those of the day before, and the answer says so."""
import os

import requests
from flask import Flask

app = Flask(__name__)


@app.get("/rate/<int:currency>")
def rate(currency):
    try:
        return requests.get(f"{os.environ['PEER']}/rate/{currency}", timeout=(0.5, 2)).json()
    except requests.RequestException as exc:
        app.logger.warning("no rates: %r", exc)
        return {"value": 41, "of": "yesterday"}
