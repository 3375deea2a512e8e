# SPDX-License-Identifier: Apache-2.0
"""The motto of the house is asked for once, and remembered."""
import functools
import logging
import os
import urllib.request

from flask import Flask, jsonify

app = Flask(__name__)


def fetch():
    with urllib.request.urlopen(os.environ["PEER"] + "/motto", timeout=2) as answer:
        return answer.read().decode()


@functools.lru_cache(maxsize=None)
def motto():
    try:
        return fetch()
    except OSError as exc:
        logging.error("no motto of %s: %r", os.environ["PEER"], exc)
        return None


@app.route("/card/<int:number>")
def card(number):
    text = motto()
    if text is None:
        return jsonify(error="no motto, no card"), 503
    return jsonify(card=number, motto=text)
