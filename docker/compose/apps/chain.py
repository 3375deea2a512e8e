# SPDX-License-Identifier: Apache-2.0
"""A link of a chain of services: asks the next one (NEXT_URL), three times if need be, as each link does."""
import os

import requests
from flask import Flask, jsonify
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

NEXT = os.environ.get("NEXT_URL")
app = Flask(__name__)


def ask(path):
    """A session each time: a connection that was kept cannot be stale."""
    with requests.Session() as session:
        again = Retry(total=2, backoff_factor=0.05, status_forcelist=[502], allowed_methods=["GET"],
                      raise_on_status=False)
        session.mount("http://", HTTPAdapter(max_retries=again))
        return session.get(NEXT + path, timeout=2)


@app.get("/item/<number>")
def item(number):
    if not NEXT:
        return jsonify(item=number)
    try:
        answer = ask("/item/" + number)
    except requests.RequestException as exc:
        return jsonify(error=type(exc).__name__), 502
    return answer.json(), answer.status_code
