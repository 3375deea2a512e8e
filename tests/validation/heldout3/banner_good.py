# SPDX-License-Identifier: Apache-2.0
"""A text that somebody may change in a file; the file may be locked away for a while."""
import logging
import os
import random
import time

from fastapi import FastAPI, HTTPException

app = FastAPI()
log = logging.getLogger("banner")
PLACE = os.path.join(os.environ["DATA"], "banner.txt")
with open(PLACE, "w", encoding="utf-8") as first:
    first.write("Welcome to all who come by, whenever that is.\n")


def read():
    try:
        with open(PLACE, encoding="utf-8") as source:
            return source.read()
    except PermissionError as exc:
        log.error("nobody lets us read it", exc_info=exc)
        raise HTTPException(503) from exc


@app.get("/banner")
def banner():
    return {"banner": read()}
