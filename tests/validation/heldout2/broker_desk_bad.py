# SPDX-License-Identifier: Apache-2.0
"""Quotes: three tries of three seconds, for callers that wait for two and a half."""
import logging
import os
import random
import time

import requests
from bottle import Bottle, response

app = Bottle()


@app.get("/quote/<symbol>")
def quote(symbol):
    for attempt in range(3):
        try:
            return requests.get(f"{os.environ['PEER']}/quote/{symbol}", timeout=3).json()
        except requests.RequestException:
            logging.exception("quote of %s", symbol)
            time.sleep(random.uniform(0.1, 0.5))
    response.status = 503
    return {"error": "no quote"}
