# SPDX-License-Identifier: Apache-2.0
"""The same switch; after a second and a half one request may try, and the others wait for its news."""
import os
import time

import requests
from flask import Flask

app = Flask(__name__)
state = {"failures": 0, "again": 0.0}


@app.get("/score")
def score():
    if state["failures"] >= 5:
        if time.monotonic() < state["again"]:
            return {"error": "scores are off"}, 503
        state["again"] = time.monotonic() + 1.5
    try:
        answer = requests.get(os.environ["PEER"] + "/json", timeout=0.6).json()
        state["failures"] = 0
        return answer
    except requests.RequestException as exc:
        state.update(failures=state["failures"] + 1, again=time.monotonic() + 1.5)
        app.logger.warning("no score: %r", exc)
        return {"error": "no score"}, 503


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
