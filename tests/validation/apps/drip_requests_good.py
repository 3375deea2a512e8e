# SPDX-License-Identifier: Apache-2.0
"""The same with a deadline for the whole of it."""
import os
import time

import requests
from flask import Flask

app = Flask(__name__)


def fetch(url, within):
    deadline, body = time.monotonic() + within, b""
    with requests.get(url, timeout=0.6, stream=True) as answer:
        for chunk in answer.iter_content(1024):
            body += chunk
            if time.monotonic() > deadline:
                raise requests.Timeout(f"{url} took more than {within} s")
    return body


@app.get("/report")
def report():
    try:
        text = fetch(os.environ["PEER"] + "/long", within=1)
    except requests.RequestException as exc:
        app.logger.warning("no report: %r", exc)
        return {"error": "no report"}, 503
    return {"size": len(text)}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
