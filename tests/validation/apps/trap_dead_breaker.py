# SPDX-License-Identifier: Apache-2.0
"""Kept connections that are reset, and then silence: a breaker that is open, not a dead pool."""
import os
import time

import requests
from flask import Flask

app = Flask(__name__)
peer = requests.Session()
state = {"failed": 0, "until": 0.0}


@app.route("/rate")
def rate():
    if time.monotonic() < state["until"]:
        return {"error": "not asked"}, 503, {"Retry-After": "2"}
    try:
        answer = peer.get(os.environ["PEER"] + "/json", timeout=1).json()
        state["failed"] = 0
        return answer
    except requests.RequestException as exc:
        state["failed"] += 1
        if state["failed"] >= 3:
            state["until"] = time.monotonic() + 1.5
        app.logger.error("no rate: %r", exc)
        return {"error": "no rate"}, 503, {"Retry-After": "2"}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=False)
