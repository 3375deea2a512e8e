# SPDX-License-Identifier: Apache-2.0
"""After three failures in a row nobody asks for three seconds; then one request may try."""
import logging
import os
import time

import requests
from flask import Flask

log = logging.getLogger("shop")
app = Flask(__name__)
circuit = {"failures": 0, "closed_at": 0.0}


@app.get("/rating")
def rating():
    if circuit["failures"] >= 3 and time.monotonic() < circuit["closed_at"]:
        return {"error": "no rating"}, 503, {"Retry-After": "3"}
    try:
        answer = requests.get(os.environ["PEER"] + "/json", timeout=1).json()
        circuit["failures"] = 0
        return answer
    except requests.RequestException as exc:
        circuit.update(failures=circuit["failures"] + 1, closed_at=time.monotonic() + 3)
        log.warning("no rating: %r", exc)
        return {"error": "no rating"}, 503, {"Retry-After": "3"}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
