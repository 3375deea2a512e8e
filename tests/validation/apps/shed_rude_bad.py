# SPDX-License-Identifier: Apache-2.0
"""Refuses before it looks at who asks: the health probe, too, and nobody hears when to come back."""
import os
import threading

import requests
from flask import Flask, request

app = Flask(__name__)
slots = threading.BoundedSemaphore(12)
taken = threading.local()


@app.before_request
def enter():
    taken.slot = slots.acquire(blocking=False)
    return None if taken.slot else ({"error": "busy"}, 503)


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
