# SPDX-License-Identifier: Apache-2.0
"""A failure is recorded in words that say nothing: not what failed, nor whose request it was."""
import os

import requests
from flask import Flask

app = Flask(__name__)


@app.get("/quote")
def quote():
    try:
        return requests.get(os.environ["PEER"] + "/json", timeout=2).json()
    except requests.RequestException:
        app.logger.error("something went wrong")
        return {"error": "no quote"}, 503, {"Retry-After": "5"}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
