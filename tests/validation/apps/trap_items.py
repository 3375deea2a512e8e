# SPDX-License-Identifier: Apache-2.0
"""Three parts of a page, three tries for each: nine attempts, but nothing is tried nine times."""
import logging
import os

import requests
from flask import Flask
from tenacity import retry, stop_after_attempt, wait_random

log = logging.getLogger("shop")
app = Flask(__name__)


@retry(stop=stop_after_attempt(3), wait=wait_random(0.1, 0.3), reraise=True)
def fetch(part):
    return requests.get(f"{os.environ['PEER']}/{part}", timeout=2).json()


@app.get("/page")
def page():
    parts, missing = {}, []
    for name in ("price", "stock", "rating"):
        try:
            parts[name] = fetch(name)
        except requests.RequestException as exc:
            log.warning("no %s: %r", name, exc)
            missing.append(name)
    return {"parts": parts, "missing": missing}, 503 if len(missing) == 3 else 200


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
