# SPDX-License-Identifier: Apache-2.0
"""A vote is sent once. When its answer is lost nobody knows, and so it is not sent again."""
import logging
import os

import requests
from flask import Flask

app = Flask(__name__)
log = logging.getLogger("vote")


@app.post("/vote/<int:choice>")
def vote(choice):
    try:
        requests.post(f"{os.environ['PEER']}/vote", json={"choice": choice}, timeout=2).raise_for_status()
    except requests.RequestException as exc:
        log.error("a vote may be lost", exc_info=exc)
        return {"error": "not_known_whether_counted"}, 502
    return {"counted": choice}
