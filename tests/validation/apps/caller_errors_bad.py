# SPDX-License-Identifier: Apache-2.0
"""A breaker that counts whatever was raised, a 404 like an outage."""
import os
import time

import requests
from fastapi import FastAPI, HTTPException

app = FastAPI()
state = {"failures": 0, "again": 0.0}


@app.get("/fruit")
def fruit():
    if state["failures"] >= 5 and time.monotonic() < state["again"]:
        raise HTTPException(503, "fruit is off")
    try:
        answer = requests.get(os.environ["PEER"] + "/season", timeout=1)
        answer.raise_for_status()
        state["failures"] = 0
        return answer.json()
    except requests.RequestException as exc:
        state.update(failures=state["failures"] + 1, again=time.monotonic() + 1.5)
        print("WARNING no fruit:", repr(exc), flush=True)
        gone = exc.response is not None
        raise HTTPException(404 if gone else 503, "no fruit") from exc
