# SPDX-License-Identifier: Apache-2.0
"""Permits out of the register; what the register answers badly has a handler."""
import logging
import os

import requests
from flask import Flask, jsonify

app = Flask(__name__)
log = logging.getLogger("permits")


@app.errorhandler(requests.HTTPError)
def register_failed(exc):
    log.error("register", exc_info=exc)
    return jsonify(error="register unavailable"), 503, {"Retry-After": "5"}


@app.get("/permit/<int:number>")
def permit(number):
    answer = requests.get(f"{os.environ['PEER']}/permits/{number}", timeout=2)
    answer.raise_for_status()
    return answer.json()
