# SPDX-License-Identifier: Apache-2.0
"""Books are fetched from the stacks; there is time, thought who set the limit."""
import os
import urllib.request

from fastapi import FastAPI
from fastapi.responses import JSONResponse

app = FastAPI()
PATIENCE = 120


class Away(Exception):
    pass


@app.exception_handler(Away)
def away(request, exc):
    return JSONResponse({"error": str(exc)}, 503)


@app.get("/book/{number}")
def book(number: int):
    try:
        with urllib.request.urlopen(f"{os.environ['PEER']}/book/{number}", timeout=PATIENCE) as answer:
            return {"book": number, "text": answer.read().decode()}
    except OSError as exc:
        print(f"ERROR stacks at {os.environ['PEER']}: {exc!r}", flush=True)
        raise Away("the stacks are shut") from exc
