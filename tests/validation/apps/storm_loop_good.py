# SPDX-License-Identifier: Apache-2.0
"""Three attempts, each waiting longer than the one before, never in step with others."""
import os
import random
import time

import requests
from flask import Flask

app = Flask(__name__)


@app.get("/quote")
def quote():
    for attempt in range(3):
        try:
            return requests.get(os.environ["PEER"] + "/json", timeout=2).json()
        except requests.ConnectionError as exc:
            app.logger.warning("attempt %d: %r", attempt, exc)
            time.sleep(random.uniform(0.1, 0.1 * 2 ** (attempt + 1)))
    return {"error": "no quote"}, 503, {"Retry-After": "1"}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
