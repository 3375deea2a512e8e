# SPDX-License-Identifier: Apache-2.0
"""Orders are posted by a session that tries again what may be tried again, which a POST is not."""
import logging
import os

import requests
from bottle import Bottle, HTTPResponse
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

app = Bottle()
log = logging.getLogger("orders")
session = requests.Session()
session.mount("http://", HTTPAdapter(pool_maxsize=8, max_retries=Retry(
    total=3, backoff_factor=0.2, backoff_jitter=0.2, status_forcelist=[502, 503, 504])))


@app.post("/order/<number:int>")
def order(number):
    try:
        answer = session.post(f"{os.environ['PEER']}/orders", json={"order": number}, timeout=(1, 2))
        answer.raise_for_status()
    except requests.RequestException as exc:
        log.error("order %d may have been taken", number, exc_info=exc)
        return HTTPResponse({"order": number, "status": "unknown"}, 502)
    return HTTPResponse({"order": number, "status": "taken"}, 201)
