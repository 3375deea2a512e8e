# SPDX-License-Identifier: Apache-2.0
"""The decorator without anything in its brackets: for ever, at once."""
import os

import requests
from flask import Flask
from tenacity import retry

app = Flask(__name__)


@retry
def ask(n):
    return requests.get(f"{os.environ['PEER']}/advice/{n}", timeout=1).json()


@app.get("/advice/<int:n>")
def advice(n):
    return ask(n)


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
