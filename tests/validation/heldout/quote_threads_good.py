# SPDX-License-Identifier: Apache-2.0
"""Flask under gunicorn's threads; urllib.request within a second."""
import json
import logging
import os
import urllib.request

from flask import Flask

app = Flask(__name__)
log = logging.getLogger("quote")


@app.get("/quote/<symbol>")
def quote(symbol):
    try:
        with urllib.request.urlopen(f"{os.environ['PEER']}/quote/{symbol}", timeout=1) as answer:
            return {"symbol": symbol, **json.load(answer)}
    except OSError as exc:
        log.warning("no quote of %s", symbol, exc_info=exc)
        return {"error": "quotes_unavailable"}, 503, {"Retry-After": "3"}
