# SPDX-License-Identifier: Apache-2.0
"""The same page; the loss is written to a log file with its traceback."""
import json
import logging
import os
import urllib.request

from fastapi import FastAPI

app = FastAPI()
log = logging.getLogger("front")
log.addHandler(logging.FileHandler(os.path.join(os.environ["DATA"], "front.log")))


@app.get("/front")
def front():
    try:
        with urllib.request.urlopen(os.environ["PEER"] + "/json", timeout=1) as answer:
            part = {"weather": json.load(answer)}
    except OSError:
        log.exception("front page without weather")
        part = {"note": "no weather today"}
    return {"title": "front page", **part}
