# SPDX-License-Identifier: Apache-2.0
"""Tries are made in one place: two of them, with a pause that is drawn."""
import os

import requests
from flask import Flask, jsonify
from requests.adapters import HTTPAdapter
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random
from urllib3.util import Retry

app = Flask(__name__)
session = requests.Session()
session.mount("http://", HTTPAdapter(max_retries=Retry(total=0)))


@retry(stop=stop_after_attempt(2), wait=wait_random(0.1, 0.5), reraise=True,
       retry=retry_if_exception_type(requests.ConnectionError))
def ask(path):
    return session.get(os.environ["PEER"] + path, timeout=1).json()


@app.get("/route/<int:n>")
def route(n):
    try:
        return ask(f"/route/{n}")
    except requests.RequestException:
        app.logger.exception("route %d", n)
        return jsonify(error="router unavailable"), 503, {"Retry-After": "4"}
