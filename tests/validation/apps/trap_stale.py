# SPDX-License-Identifier: Apache-2.0
"""T2: the peer closes idle connections; the pooled client sees it and replays a GET at once."""
import os

import requests
from fastapi import FastAPI

app = FastAPI()
peer = requests.Session()


@app.get("/quote")
def quote():
    return peer.get(os.environ["PEER"] + "/hangup", timeout=2).json()
