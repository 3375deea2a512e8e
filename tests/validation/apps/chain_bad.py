# SPDX-License-Identifier: Apache-2.0
"""A front and the service behind it, one process each; both try three times, so that one request
becomes nine."""
import os
import random
import time

import requests
from flask import Flask

app = Flask(__name__)
port, peer = int(os.environ["PORT"]), os.environ["PEER"]
FRONT_TRIES, BACK_TRIES = 3, 3


def fetch(url, tries):
    for _ in range(tries):
        try:
            with requests.get(url, timeout=3) as answer:
                answer.raise_for_status()
                return answer.json()
        except requests.RequestException as exc:
            app.logger.warning("%s failed: %r", url, exc)
            time.sleep(random.uniform(0.05, 0.25))
    return {"error": "unavailable"}, 503


@app.get("/quote")
def quote():
    return fetch(f"http://127.0.0.1:{port + 1}/price", FRONT_TRIES)


@app.get("/price")
def price():
    return fetch(peer + "/json", BACK_TRIES)


if __name__ == "__main__":
    app.run(port=port if os.fork() else port + 1, threaded=True)
