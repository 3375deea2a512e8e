# SPDX-License-Identifier: Apache-2.0
"""Tides, asked of another house in two seconds at most, or so it is meant."""
import logging
import os

import requests
from flask import Flask, jsonify

app = Flask(__name__)
log = logging.getLogger("almanac")
session = requests.Session()
session.timeout = 2


@app.get("/tide/<int:port>")
def tide(port):
    try:
        answer = session.get(f"{os.environ['PEER']}/tides/{port}")
        answer.raise_for_status()
        return answer.json()
    except requests.RequestException as exc:
        log.error("tide of %d", port, exc_info=exc)
        return jsonify(error="no tide"), 503, {"Retry-After": "5"}
