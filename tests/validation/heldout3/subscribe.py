# SPDX-License-Identifier: Apache-2.0
"""A POST that is sent again only when there was no connection, so that nothing can have arrived."""
import logging
import os

import requests
from flask import Flask
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

app = Flask(__name__)
log = logging.getLogger("subscribe")


@app.post("/subscribe/<int:reader>")
def subscribe(reader):
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=Retry(
            connect=3, read=0, backoff_factor=0.3, allowed_methods=None)))
        try:
            session.post(f"{os.environ['PEER']}/subscription", json={"reader": reader},
                         timeout=2).raise_for_status()
        except requests.RequestException as exc:
            log.error("not subscribed", exc_info=exc)
            return {"error": "press_down"}, 503
    return {"subscribed": reader}
