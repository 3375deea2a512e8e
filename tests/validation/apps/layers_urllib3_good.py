# SPDX-License-Identifier: Apache-2.0
"""Three tries by tenacity, and none by urllib3 below it."""
import logging
import os

import requests
from flask import Flask
from requests.adapters import HTTPAdapter
from tenacity import retry, stop_after_attempt, wait_random

log = logging.getLogger("shop")
app = Flask(__name__)
peer = requests.Session()
peer.mount("http://", HTTPAdapter(max_retries=0))


@retry(stop=stop_after_attempt(3), wait=wait_random(0.1, 0.3), reraise=True)
def fetch():
    return peer.get(os.environ["PEER"] + "/json", timeout=2).json()


@app.get("/quote")
def quote():
    try:
        return fetch()
    except requests.RequestException as exc:
        log.warning("no quote: %r", exc)
        return {"error": "no quote"}, 503, {"Retry-After": "1"}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
