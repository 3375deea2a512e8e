# SPDX-License-Identifier: Apache-2.0
"""Plain functions of FastAPI may block: they are run by threads."""
import http.client
import logging
import os
import time

from fastapi import FastAPI
from fastapi.responses import JSONResponse

app = FastAPI()


@app.get("/order/{number}")
def order(number: int):
    line = http.client.HTTPConnection("127.0.0.1", int(os.environ["PEER_PORT"]), timeout=3)
    try:
        line.request("GET", f"/order/{number}")
        time.sleep(0.12)
        return {"order": number, "text": line.getresponse().read().decode()}
    except OSError as exc:
        logging.error("back room at port %d: %r", line.port, exc)
        return JSONResponse({"error": "nobody there"}, 503)
    finally:
        line.close()


@app.get("/opening")
async def opening():
    return {"opening": "from eight to six", "lunch": "at noon"}
