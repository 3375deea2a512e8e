# SPDX-License-Identifier: Apache-2.0
"""One lock around a rate and the call that fetches it: whoever wants the rate waits for whoever fetches it."""
import os
import threading

import requests
from flask import Flask

app = Flask(__name__)
lock = threading.Lock()
seen = {}


def rate(pair):
    with lock:
        if len(seen) > 100:
            seen.clear()
        answer = requests.get(os.environ["PEER"] + "/json", timeout=5)
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
