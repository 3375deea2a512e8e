# SPDX-License-Identifier: Apache-2.0
"""An async view of Flask: each request has a loop of its own, in its own thread, and blocks nobody else."""
import logging
import os

import requests
from flask import Flask, jsonify

app = Flask(__name__)


class Stock:
    def __init__(self, base):
        self.base, self.session = base, requests.Session()

    async def of(self, item):
        return self.session.get(f"{self.base}/stock/{item}", timeout=3).json()["value"]


stock = Stock(os.environ["PEER"])


@app.route("/stock/<int:item>")
async def show(item):
    try:
        return jsonify(item=item, left=await stock.of(item))
    except requests.RequestException as exc:
        logging.warning("stock of %s: %r", stock.base, exc)
        return jsonify(error="unknown"), 503


@app.route("/hours")
def hours():
    return jsonify(open="9 to 17")


app.run(port=int(os.environ["PORT"]), threaded=True)
