# SPDX-License-Identifier: Apache-2.0
"""Says what failed, but only to who asks for all there is."""
import os

import requests
from flask import Flask, jsonify
from loguru import logger

app = Flask(__name__)


@app.route("/guard/<int:n>")
def guard(n):
    try:
        return jsonify(guard=n, value=requests.get(os.environ["PEER"] + "/guard", timeout=1).json()["value"])
    except requests.RequestException as exc:
        logger.debug("guards of {} cannot be asked: {!r}", os.environ["PEER"], exc)
        return jsonify(error="nobody there"), 503


app.run(port=int(os.environ["PORT"]), threaded=True)
