# SPDX-License-Identifier: Apache-2.0
"""urllib3's Retry with a backoff of 0.2, 0.4 ... seconds (this version has no jitter)."""
import os

import urllib3
from flask import Flask

app = Flask(__name__)
peer = urllib3.PoolManager(timeout=2, retries=urllib3.Retry(total=2, backoff_factor=0.3))


@app.get("/quote")
def quote():
    try:
        return peer.request("GET", os.environ["PEER"] + "/json").data
    except urllib3.exceptions.HTTPError as exc:
        app.logger.warning("no quote: %r", exc)
        return {"error": "no quote"}, 503, {"Retry-After": "1"}
