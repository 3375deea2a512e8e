# SPDX-License-Identifier: Apache-2.0
"""Recommendations; an empty list looks like an answer."""
import os

import requests
from flask import Flask, jsonify

app = Flask(__name__)


@app.get("/recommended/<int:user>")
def recommended(user):
    try:
        found = requests.get(f"{os.environ['PEER']}/items", timeout=1).json()
    except Exception:
        found = []
    return jsonify(found)
