# SPDX-License-Identifier: Apache-2.0
"""The weather is left out when it cannot be had: a page without it, and a log without a word."""
import json
import os
import urllib.request

from fastapi import FastAPI

app = FastAPI()


def no_weather(error):
    return {"note": "no weather today"}


@app.get("/front")
def front():
    try:
        with urllib.request.urlopen(os.environ["PEER"] + "/json", timeout=1) as answer:
            part = {"weather": json.load(answer)}
    except OSError as error:
        part = no_weather(error)
    return {"title": "front page", **part}
