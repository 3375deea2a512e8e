# SPDX-License-Identifier: Apache-2.0
"""The first failure opens a breaker, for a second and a half; then it asks again."""
import logging
import os
import time

import requests
from flask import Flask, abort

app = Flask(__name__)
log = logging.getLogger("hasty")
closed_from = 0.0


@app.get("/fact/<int:number>")
def fact(number):
    global closed_from
    if time.monotonic() < closed_from:
        abort(503)
    try:
        return requests.get(f"{os.environ['PEER']}/fact/{number}", timeout=2).json()
    except requests.RequestException as exc:
        closed_from = time.monotonic() + 1.5
        log.error("no facts for a while", exc_info=exc)
        abort(503)
