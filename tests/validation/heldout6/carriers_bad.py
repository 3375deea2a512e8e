# SPDX-License-Identifier: Apache-2.0
"""Where a parcel is, asked of the carrier, behind a breaker."""
import logging
import os

import requests
from circuitbreaker import CircuitBreakerError, circuit
from fastapi import FastAPI
from fastapi.responses import JSONResponse

app = FastAPI()
log = logging.getLogger("carriers")


@circuit(failure_threshold=5, recovery_timeout=4, expected_exception=ConnectionError)
def ask(parcel):
    answer = requests.get(f"{os.environ['PEER']}/parcels/{parcel}", timeout=1)
    answer.raise_for_status()
    return answer.json()


@app.get("/parcel/{parcel}")
def where(parcel: int):
    try:
        return ask(parcel)
    except (requests.RequestException, CircuitBreakerError) as exc:
        log.warning("carrier, parcel %d: %r", parcel, exc)
        return JSONResponse({"error": "carrier unavailable"}, 503, headers={"Retry-After": "4"})
