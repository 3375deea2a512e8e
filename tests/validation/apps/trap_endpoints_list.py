# SPDX-License-Identifier: Apache-2.0
"""Two warehouses, and an answer that needs both: there is no one to ask instead of the other."""
import os

import requests
from flask import Flask

app = Flask(__name__)


def pieces(warehouse, item):
    return requests.get(f"{warehouse}/stock/{item}", timeout=(0.5, 2)).json()["value"]


@app.get("/stock/<int:item>")
def stock(item):
    try:
        return {"pieces": sum(pieces(os.environ[name], item) for name in ("PEER", "PEER2"))}
    except requests.RequestException as exc:
        app.logger.warning("a warehouse is away: %r", exc)
        return {"error": "stock not known"}, 503, {"Retry-After": "2"}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
