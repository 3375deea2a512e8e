# SPDX-License-Identifier: Apache-2.0
"""Three tries of a second each; who calls this waits for 1.6 s."""
import os

import requests
from flask import Flask

app = Flask(__name__)


@app.get("/quote")
def quote():
    for _ in range(3):
        try:
            return requests.get(os.environ["PEER"] + "/json", timeout=1).json()
        except requests.Timeout as exc:
            app.logger.warning("no quote: %r", exc)
    return {"error": "no quote"}, 503


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
