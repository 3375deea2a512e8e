# SPDX-License-Identifier: Apache-2.0
"""A breaker by the clock, in an application with many threads."""
import logging
import os
import threading
import time

import requests
from fastapi import FastAPI
from fastapi.responses import JSONResponse

app = FastAPI()
log = logging.getLogger("tariff")
lock = threading.Lock()
failures, asked_again = 0, 0.0


def may_ask():
    global asked_again
    if failures < 3:
        return True
    with lock:
        if time.monotonic() < asked_again:
            return False
        return True


@app.get("/tariff/{zone}")
def tariff(zone: int):
    global failures, asked_again
    if not may_ask():
        return JSONResponse({"error": "closed"}, 503, headers={"Retry-After": "3"})
    try:
        answer = requests.get(f"{os.environ['PEER']}/tariff/{zone}", timeout=2).json()
        failures = 0
        return answer
    except requests.RequestException as exc:
        log.warning("no tariff: %s", exc)
        failures += 1
        asked_again = time.monotonic() + 2.5
        return JSONResponse({"error": "down"}, 503, headers={"Retry-After": "3"})
