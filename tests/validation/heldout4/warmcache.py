# SPDX-License-Identifier: Apache-2.0
"""Thumbnails are made once and kept, at most 6000 of them: memory grows in good times as in bad ones."""
import functools
import logging
import os

import requests
from flask import Flask, jsonify

app = Flask(__name__)


@functools.lru_cache(maxsize=6000)
def thumbnail(number):
    return os.urandom(30000)


@app.route("/thumbnail/<int:number>")
def show(number):
    picture = thumbnail(number)
    try:
        label = requests.get(os.environ["PEER"] + "/label", timeout=1).json()["unit"]
    except requests.RequestException as exc:
        logging.warning("labels of %s: %r", os.environ["PEER"], exc)
        label = None
    return jsonify(number=number, size=len(picture), label=label)


app.run(port=int(os.environ["PORT"]), threaded=True)
