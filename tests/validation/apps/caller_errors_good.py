# SPDX-License-Identifier: Apache-2.0
"""The same breaker; what the other side says about the question is no failure of its own."""
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
    except requests.RequestException as exc:
        state.update(failures=state["failures"] + 1, again=time.monotonic() + 1.5)
        print("WARNING no fruit:", repr(exc), flush=True)
        raise HTTPException(503, "no fruit") from exc
    state["failures"] = 0
    if answer.status_code == 404:
        raise HTTPException(404, "no fruit")
    return answer.json()
