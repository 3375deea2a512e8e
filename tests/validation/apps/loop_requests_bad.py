# SPDX-License-Identifier: Apache-2.0
"""requests inside `async def`: while one request waits, the whole process does."""
import os

import requests
from fastapi import FastAPI

app = FastAPI()


@app.get("/quote")
async def quote():
    return requests.get(os.environ["PEER"] + "/json", timeout=2).json()


@app.get("/version")
async def version():
    return {"version": 1}
