# SPDX-License-Identifier: Apache-2.0
"""httpx with a short timeout for each step, and an answer for when it fires."""
import os

import httpx
from flask import Flask

app = Flask(__name__)
peer = httpx.Client(base_url=os.environ["PEER"], timeout=httpx.Timeout(0.5, connect=0.3))


@app.get("/quote")
def quote():
    try:
        return peer.get("/json").json()
    except httpx.TimeoutException as exc:
        app.logger.warning("no quote in time: %r", exc)
        return {"error": "slow"}, 503, {"Retry-After": "2"}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
