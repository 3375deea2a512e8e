# SPDX-License-Identifier: Apache-2.0
"""Each request asks the peer, however long it has been dead; it fails politely each time."""
import logging
import os

import requests
from flask import Flask

log = logging.getLogger("shop")
app = Flask(__name__)


@app.get("/rating")
def rating():
    try:
        return requests.get(os.environ["PEER"] + "/json", timeout=1).json()
    except requests.RequestException as exc:
        log.warning("no rating: %r", exc)
        return {"error": "no rating"}, 503, {"Retry-After": "5"}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
