# SPDX-License-Identifier: Apache-2.0
"""A report from upstream, with a timeout; requests applies it to each read."""
import os

import requests
from flask import Flask

app = Flask(__name__)


@app.get("/report")
def report():
    try:
        text = requests.get(os.environ["PEER"] + "/long", timeout=0.6).text
    except requests.RequestException as exc:
        app.logger.warning("no report: %r", exc)
        return {"error": "no report"}, 503
    return {"size": len(text)}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
