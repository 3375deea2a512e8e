# SPDX-License-Identifier: Apache-2.0
"""Courses one may enrol for, behind a breaker that takes every exception for a failure."""
import logging
import os

import pybreaker
import requests
from flask import Flask, jsonify

app = Flask(__name__)
log = logging.getLogger("registrar")
breaker = pybreaker.CircuitBreaker(fail_max=4, reset_timeout=3)


@breaker
def ask(course):
    answer = requests.get(f"{os.environ['PEER']}/season", params={"course": course}, timeout=1)
    answer.raise_for_status()
    return answer.json()


@app.get("/course/<int:course>")
def show(course):
    try:
        return ask(course)
    except requests.HTTPError:
        return jsonify(error="no such course"), 404
    except (requests.RequestException, pybreaker.CircuitBreakerError) as exc:
        log.warning("courses", exc_info=exc)
        return jsonify(error="courses unavailable"), 503, {"Retry-After": "3"}
