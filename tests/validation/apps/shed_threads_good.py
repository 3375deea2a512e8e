# SPDX-License-Identifier: Apache-2.0
"""Twelve at a time; who comes beyond that is told so at once, but never the health probe."""
import os
import threading

import requests
from flask import Flask

app = Flask(__name__)
slots = threading.BoundedSemaphore(12)


@app.get("/quote")
def quote():
    if not slots.acquire(blocking=False):
        return {"error": "busy"}, 503, {"Retry-After": "2"}
    try:
        return requests.get(os.environ["PEER"] + "/json", timeout=(1, 5)).json()
    finally:
        slots.release()


@app.get("/health")
def health():
    return {"well": True}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
