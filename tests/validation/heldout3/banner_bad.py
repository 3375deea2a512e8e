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
    for attempt in range(5):
        try:
            with open(PLACE, encoding="utf-8") as source:
                return source.read()
        except OSError as exc:
            log.warning("try %d: %s", attempt + 1, exc)
            time.sleep(random.uniform(0.06, 0.12) * 1.5 ** attempt)
    raise HTTPException(503)


@app.get("/banner")
def banner():
    return {"banner": read()}
