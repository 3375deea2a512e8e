# SPDX-License-Identifier: Apache-2.0
"""Callers that lose patience: their connections are gone when the answer is written. Not our failure."""
import os

import requests
from flask import Flask

app = Flask(__name__)


@app.get("/quote")
def quote():
    return requests.get(os.environ["PEER"] + "/json", timeout=2).json()


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
