# SPDX-License-Identifier: Apache-2.0
"""The same; the rate is fetched without the lock, which only guards what is kept."""
import os
import threading

import requests
from flask import Flask

app = Flask(__name__)
lock = threading.Lock()
seen = {}


def rate(pair):
    answer = requests.get(os.environ["PEER"] + "/json", timeout=5)
    with lock:
        if len(seen) > 100:
            seen.clear()
        seen[pair] = answer.status_code
    return answer.json()


@app.route("/rate/<pair>")
def show(pair):
    try:
        return rate(pair)
    except requests.RequestException as exc:
        app.logger.warning("no rate: %r", exc)
        return {"error": "no rate"}, 503, {"Retry-After": "2"}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
