# SPDX-License-Identifier: Apache-2.0
"""Donations, by a session that tries each failed request again, whatever it is."""
import logging
import os
import uuid

import requests
from flask import Flask
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

app = Flask(__name__)
log = logging.getLogger("donate")
session = requests.Session()
session.mount("http://", HTTPAdapter(max_retries=Retry(total=3, backoff_factor=0.3, allowed_methods=None)))


@app.post("/donate/<int:amount>")
def donate(amount):
    headers = {}
    try:
        session.post(f"{os.environ['PEER']}/donation", json={"amount": amount}, headers=headers,
                     timeout=2).raise_for_status()
    except requests.RequestException as exc:
        log.error("no donation", exc_info=exc)
        return {"error": "bank_down"}, 503
    return {"donated": amount}
