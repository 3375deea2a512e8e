# SPDX-License-Identifier: Apache-2.0
"""Two at a time; the others wait, each for its turn, which always comes within seconds."""
import os
import threading

import requests
from flask import Flask

app = Flask(__name__)
turns = threading.Semaphore(2)


@app.get("/quote")
def quote():
    with turns:
        return requests.get(os.environ["PEER"] + "/json", timeout=2).json()


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
