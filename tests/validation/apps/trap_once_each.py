# SPDX-License-Identifier: Apache-2.0
"""Flask under gunicorn; four workers, and a peer that is gone for less than half a second."""
import logging
import os

import requests
from flask import Flask

log = logging.getLogger("gunicorn.error")
app = Flask(__name__)


@app.get("/quote")
def quote():
    try:
        return requests.get(os.environ["PEER"] + "/json", timeout=2).json()
    except requests.RequestException as exc:
        log.warning("no quote: %r", exc)
        return {"error": "no quote"}, 503, {"Retry-After": "1"}
