# SPDX-License-Identifier: Apache-2.0
"""tenacity's bare decorator: for ever, without a wait."""
import os

import requests
from flask import Flask
from tenacity import retry

app = Flask(__name__)


@retry
def fetch():
    return requests.get(os.environ["PEER"] + "/json", timeout=2).json()


@app.get("/quote")
def quote():
    return fetch()


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
