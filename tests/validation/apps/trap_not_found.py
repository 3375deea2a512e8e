# SPDX-License-Identifier: Apache-2.0
"""What is not there is remembered for two seconds, and not asked for again meanwhile."""
import os
import time

import requests
from fastapi import FastAPI, HTTPException

app = FastAPI()
gone = {"count": 0, "until": 0.0}


@app.get("/fruit")
def fruit():
    if gone["count"] >= 3 and time.monotonic() < gone["until"]:
        raise HTTPException(404, "no fruit")
    try:
        answer = requests.get(os.environ["PEER"] + "/season", timeout=1)
    except requests.RequestException as exc:
        print("WARNING no fruit:", repr(exc), flush=True)
        raise HTTPException(503, "no fruit") from exc
    if answer.status_code == 404:
        gone.update(count=gone["count"] + 1, until=time.monotonic() + 2)
        raise HTTPException(404, "no fruit")
    return answer.json()
