# SPDX-License-Identifier: Apache-2.0
"""Stock of a depot; there are two houses with the same books."""
import logging
import os
import random

import requests
from fastapi import FastAPI
from fastapi.responses import JSONResponse

app = FastAPI()
log = logging.getLogger("depots")
HOUSES = [os.environ["PEER"], os.environ["PEER2"]]


@app.get("/stock/{article}")
def stock(article: int):
    house = random.choice(HOUSES)
    try:
        return requests.get(f"{house}/stock/{article}", timeout=(1, 2)).json()
    except requests.RequestException as exc:
        log.error("house %s", house, exc_info=exc)
    return JSONResponse({"error": "stock unavailable"}, 503, headers={"Retry-After": "5"})
