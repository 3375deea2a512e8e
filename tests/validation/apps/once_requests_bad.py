# SPDX-License-Identifier: Apache-2.0
"""requests, one attempt, under gunicorn."""
import os

import requests
from flask import Flask

app = Flask(__name__)


@app.get("/item/<sku>")
def item(sku):
    return requests.get(os.environ["PEER"] + "/json", params={"sku": sku}, timeout=2).json()
