# SPDX-License-Identifier: Apache-2.0
"""The same refusal; the record is written by another thread, a little later."""
import logging
import logging.handlers
import os
import queue

import requests
from flask import Flask

app = Flask(__name__)
records = queue.SimpleQueue()
log = logging.getLogger("quotes")
log.addHandler(logging.handlers.QueueHandler(records))
logging.handlers.QueueListener(records, logging.StreamHandler()).start()


@app.get("/quote")
def quote():
    try:
        return requests.get(os.environ["PEER"] + "/json", timeout=2).json()
    except requests.RequestException as exc:
        log.error("no quote: %r", exc)
        return {"error": "no quote"}, 503, {"Retry-After": "5"}
