# SPDX-License-Identifier: Apache-2.0
"""A thread for each request, as many as come; when the peer is slow they pile up."""
import os

import requests
from flask import Flask

app = Flask(__name__)


@app.get("/quote")
def quote():
    return requests.get(os.environ["PEER"] + "/json", timeout=(1, 5)).json()


@app.get("/health")
def health():
    return {"well": True}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
