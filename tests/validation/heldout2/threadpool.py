# SPDX-License-Identifier: Apache-2.0
"""Plain `def` endpoints: the framework runs them in its thread pool, so that they may block."""
import logging
import os

import requests
from fastapi import FastAPI
from fastapi.responses import JSONResponse

app = FastAPI()
session = requests.Session()
session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=40))


@app.get("/report/{number}")
def report(number: int):
    try:
        return session.get(f"{os.environ['PEER']}/report/{number}", timeout=(1, 3)).json()
    except requests.RequestException:
        logging.exception("report %d", number)
        return JSONResponse({"error": "reports unavailable"}, 503, headers={"Retry-After": "5"})


@app.get("/motd")
async def motd():
    return {"motd": "be kind"}
