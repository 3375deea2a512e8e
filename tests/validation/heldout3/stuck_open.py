# SPDX-License-Identifier: Apache-2.0
"""Three failures, and it counts as down until somebody starts this anew."""
import logging
import os

import requests
from flask import Flask, abort

app = Flask(__name__)
log = logging.getLogger("stuck")
failures = 0


@app.get("/horoscope/<int:sign>")
def horoscope(sign):
    global failures
    if failures >= 3:
        abort(503)
    try:
        answer = requests.get(f"{os.environ['PEER']}/horoscope/{sign}", timeout=2).json()
        failures = 0
        return answer
    except requests.RequestException as exc:
        failures += 1
        log.error("no stars (%d)", failures, exc_info=exc)
        abort(503)
