# SPDX-License-Identifier: Apache-2.0
"""The last twenty events that could not be delivered are kept; older ones are dropped."""
import collections
import os

import requests
from flask import Flask

app = Flask(__name__)
pending = collections.deque(maxlen=20)


@app.post("/event/<number>")
def event(number):
    body = (number * 40_000)[:40_000]
    try:
        requests.post(os.environ["PEER"] + "/events", data=body, timeout=1)
    except requests.RequestException as exc:
        pending.append(body.encode())
        app.logger.warning("event kept: %r", exc)
    return {"taken": True}, 202


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
