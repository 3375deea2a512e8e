# SPDX-License-Identifier: Apache-2.0
"""requests.get without a timeout: it waits as long as the other side likes."""
import os

import requests
from fastapi import FastAPI

app = FastAPI()


@app.get("/quote")
def quote():
    return requests.get(os.environ["PEER"] + "/json").json()
