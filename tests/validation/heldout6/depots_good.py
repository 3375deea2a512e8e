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
    for house in random.sample(HOUSES, 2):
        try:
            return requests.get(f"{house}/stock/{article}", timeout=(1, 2)).json()
        except requests.RequestException as exc:
            log.warning("house %s", house, exc_info=exc)
    return JSONResponse({"error": "stock unavailable"}, 503, headers={"Retry-After": "5"})
