# SPDX-License-Identifier: Apache-2.0
"""Flask and requests: two seconds are plenty."""
import os

import requests
from flask import Flask

app = Flask(__name__)


@app.get("/uneven")
def uneven():
    try:
        return requests.get(os.environ["PEER"] + "/uneven", timeout=(1, 2)).json()
    except requests.RequestException as exc:
        app.logger.warning("no answer in time: %r", exc)
        return {"error": "later"}, 503
