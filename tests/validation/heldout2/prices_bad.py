# SPDX-License-Identifier: Apache-2.0
import logging
import os

import requests
from flask import Flask, jsonify

app = Flask(__name__)


@app.get("/price/<int:article>")
def price(article):
    try:
        return requests.get(f"{os.environ['PEER']}/price/{article}", timeout=1).json()
    except requests.RequestException:
        logging.exception("price of %d", article)
        return jsonify(error="prices unavailable"), 503, {"Retry-After": "10"}
