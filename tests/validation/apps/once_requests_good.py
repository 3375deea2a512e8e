# SPDX-License-Identifier: Apache-2.0
"""requests with urllib3's Retry: three more attempts, waiting longer each time."""
import os

import requests
from flask import Flask
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

app = Flask(__name__)


@app.get("/item/<sku>")
def item(sku):
    with requests.Session() as peer:
        peer.mount("http://", HTTPAdapter(max_retries=Retry(total=3, backoff_factor=0.2)))
        return peer.get(os.environ["PEER"] + "/json", params={"sku": sku}, timeout=2).json()
