# SPDX-License-Identifier: Apache-2.0
"""One attempt, but the refusal is in order: 503 with Retry-After, and a line in the log."""
import os
import urllib.error
import urllib.request

from flask import Flask

app = Flask(__name__)


@app.get("/item/<sku>")
def item(sku):
    try:
        with urllib.request.urlopen(f"{os.environ['PEER']}/json?sku={sku}", timeout=2) as answer:
            return answer.read(), 200, {"Content-Type": "application/json"}
    except urllib.error.URLError as exc:
        app.logger.warning("item unavailable: %r", exc)
        return {"error": "try later"}, 503, {"Retry-After": "1"}
