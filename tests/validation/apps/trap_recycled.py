# SPDX-License-Identifier: Apache-2.0
"""Workers that retire after a few requests, as gunicorn was told to, and are replaced all the time."""
import os

import requests
from flask import Flask

app = Flask(__name__)


@app.route("/quote")
def quote():
    try:
        return requests.get(os.environ["PEER"] + "/json", timeout=2).json()
    except requests.RequestException as exc:
        app.logger.error("no quote: %r", exc)
        return {"error": "no quote"}, 503, {"Retry-After": "5"}
