# SPDX-License-Identifier: Apache-2.0
"""A ticker that is read for as long as it ticks: a limit for each read is the right one here."""
import os

import requests
from flask import Flask

app = Flask(__name__)


@app.get("/ticks")
def ticks():
    with requests.get(os.environ["PEER"] + "/ticks", timeout=0.6, stream=True) as answer:
        return {"ticks": sum(1 for line in answer.iter_lines() if line)}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
