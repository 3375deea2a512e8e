# SPDX-License-Identifier: Apache-2.0
"""A question that takes two seconds in good times, too; its limit is 25 s, below anybody's half minute."""
import logging
import os

import requests
from flask import Flask, jsonify

app = Flask(__name__)


@app.route("/news/<topic>")
def news(topic):
    try:
        return jsonify(topic=topic, value=requests.get(os.environ["PEER"] + "/longpoll", timeout=(1, 25)).json())
    except requests.RequestException as exc:
        logging.warning("news of %s: %r", os.environ["PEER"], exc)
        return jsonify(error="no news"), 503


app.run(port=int(os.environ["PORT"]), threaded=True)
