# SPDX-License-Identifier: Apache-2.0
"""A failure is recorded with its traceback."""
import os

import requests
from flask import Flask

app = Flask(__name__)


@app.get("/quote")
def quote():
    try:
        return requests.get(os.environ["PEER"] + "/json", timeout=2).json()
    except requests.RequestException:
        app.logger.exception("no quote")
        return {"error": "no quote"}, 503, {"Retry-After": "5"}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
