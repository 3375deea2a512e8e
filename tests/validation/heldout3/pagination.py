# SPDX-License-Identifier: Apache-2.0
"""A hundred pages make one answer; a page whose line breaks is asked for once more, after a while."""
import logging
import os
import random
import time

import requests
from flask import Flask, abort

app = Flask(__name__)
log = logging.getLogger("pagination")
session = requests.Session()


def page(number):
    url = f"{os.environ['PEER']}/page?number={number}"
    try:
        return session.get(url, timeout=2).json()["value"]
    except requests.ConnectionError as exc:
        log.warning("page %d once more: %s", number, exc)
        time.sleep(random.uniform(0.1, 0.3))
        return session.get(url, timeout=2).json()["value"]


@app.get("/total")
def total():
    try:
        return {"total": sum(page(number) for number in range(100))}
    except requests.RequestException as exc:
        log.error("no total", exc_info=exc)
        abort(503)
