# SPDX-License-Identifier: Apache-2.0
import logging
import os

import pybreaker
import requests
from flask import Flask, jsonify

app = Flask(__name__)
breaker = pybreaker.CircuitBreaker(fail_max=5, reset_timeout=6)


@breaker
def ask(article):
    return requests.get(f"{os.environ['PEER']}/price/{article}", timeout=1).json()


@app.get("/price/<int:article>")
def price(article):
    try:
        return ask(article)
    except (requests.RequestException, pybreaker.CircuitBreakerError):
        logging.exception("price of %d", article)
        return jsonify(error="prices unavailable"), 503, {"Retry-After": "10"}
