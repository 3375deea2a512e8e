# SPDX-License-Identifier: Apache-2.0
"""A session that tries three times, under a decorator that tries three times."""
import os

import requests
from flask import Flask, jsonify
from requests.adapters import HTTPAdapter
from tenacity import RetryError, retry, stop_after_attempt, wait_random
from urllib3.util import Retry

app = Flask(__name__)
session = requests.Session()
session.mount("http://", HTTPAdapter(max_retries=Retry(total=2, backoff_factor=0)))


@retry(stop=stop_after_attempt(3), wait=wait_random(0.05, 0.3))
def ask(path):
    return session.get(os.environ["PEER"] + path, timeout=1).json()


@app.get("/route/<int:n>")
def route(n):
    try:
        return ask(f"/route/{n}")
    except RetryError:
        app.logger.exception("route %d", n)
        return jsonify(error="router unavailable"), 503, {"Retry-After": "4"}
