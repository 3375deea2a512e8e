# SPDX-License-Identifier: Apache-2.0
"""Where a van is; the house that knows is asked up to three times."""
import logging
import os

import requests
from flask import Flask, jsonify
from requests.adapters import HTTPAdapter
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

app = Flask(__name__)
log = logging.getLogger("courier")
session = requests.Session()
session.mount("http://", HTTPAdapter(pool_maxsize=8))


@retry(retry=retry_if_exception_type(requests.ConnectionError), stop=stop_after_attempt(3),
       wait=wait_random_exponential(multiplier=0.2, max=1), reraise=True)


def locate(van):
    answer = session.get(f"{os.environ['PEER']}/vans/{van}", timeout=(0.5, 1))
    answer.raise_for_status()
    return answer.json()


@app.get("/van/<int:van>")
def where(van):
    try:
        return locate(van)
    except requests.RequestException as exc:
        log.error("van %d", van, exc_info=exc)
        return jsonify(error="whereabouts unknown"), 503, {"Retry-After": "5"}
