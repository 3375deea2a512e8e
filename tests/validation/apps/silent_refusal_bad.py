# SPDX-License-Identifier: Apache-2.0
"""A clean refusal that leaves no trace on the server's side."""
import os

import requests
from flask import Flask

app = Flask(__name__)


@app.get("/quote")
def quote():
    try:
        return requests.get(os.environ["PEER"] + "/json", timeout=2).json()
    except requests.RequestException:
        return {"error": "no quote"}, 503, {"Retry-After": "5"}
