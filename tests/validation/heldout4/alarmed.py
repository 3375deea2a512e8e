# SPDX-License-Identifier: Apache-2.0
"""No limit at any socket: the worker's own alarm bounds each request."""
import logging
import os
import signal

import requests
from flask import Flask, jsonify

app = Flask(__name__)


class Late(Exception):
    pass


def ring(number, frame):
    raise Late


@app.before_request
def begin():
    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 1.5)


@app.teardown_request
def end(exc):
    signal.setitimer(signal.ITIMER_REAL, 0)


@app.route("/horoscope/<sign>")
def horoscope(sign):
    try:
        answer = requests.get(f"{os.environ['PEER']}/horoscope/{sign}")
        return jsonify(sign=sign, luck=answer.json()["value"])
    except (requests.RequestException, Late) as exc:
        logging.warning("horoscopes of %s: %r", os.environ["PEER"], exc)
        return jsonify(error="the stars are silent"), 503
