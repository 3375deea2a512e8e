# SPDX-License-Identifier: Apache-2.0
"""Refuses all but the health probe, and says when to come back."""
import os
import threading

import requests
from flask import Flask, request

app = Flask(__name__)
slots = threading.BoundedSemaphore(12)
taken = threading.local()


@app.before_request
def enter():
    taken.slot = request.path != "/health" and slots.acquire(blocking=False)
    if not taken.slot and request.path != "/health":
        return {"error": "busy"}, 503, {"Retry-After": "2"}
    return None


@app.teardown_request
def leave(error):
    if taken.slot:
        slots.release()


@app.get("/quote")
def quote():
    return requests.get(os.environ["PEER"] + "/json", timeout=(1, 5)).json()


@app.get("/health")
def health():
    return {"asked": request.path}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
