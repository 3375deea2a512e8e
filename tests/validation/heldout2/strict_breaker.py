# SPDX-License-Identifier: Apache-2.0
"""A breaker that counts articles which do not exist as failures of the shop behind it."""
import logging
import os

import requests
from circuitbreaker import CircuitBreakerError, circuit
from flask import Flask, jsonify

app = Flask(__name__)


@circuit(failure_threshold=5, recovery_timeout=3)
def ask(path):
    answer = requests.get(f"{os.environ['PEER']}/{path}", timeout=1)
    answer.raise_for_status()
    return answer.json()


@app.get("/article/<int:number>")
def article(number):
    try:
        return ask(f"missing/{number}" if number % 4 else f"article/{number}")
    except requests.HTTPError:
        return jsonify(error="no such article"), 404
    except (requests.RequestException, CircuitBreakerError):
        logging.exception("article %d", number)
        return jsonify(error="shop unavailable"), 503, {"Retry-After": "3"}
