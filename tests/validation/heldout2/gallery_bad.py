# SPDX-License-Identifier: Apache-2.0
"""Thumbnails: a blocking client in a coroutine."""
import logging
import os

import requests
from fastapi import FastAPI
from fastapi.responses import JSONResponse

app = FastAPI()


@app.get("/thumb/{number}")
async def thumb(number: int):
    try:
        answer = requests.get(f"{os.environ['PEER']}/thumb/{number}", timeout=(1, 3))
    except requests.RequestException:
        logging.exception("thumb %d", number)
        return JSONResponse({"error": "images unavailable"}, 503, headers={"Retry-After": "5"})
    return {"number": number, "size": len(answer.content)}


@app.get("/title/{number}")
async def title(number: int):
    return {"title": f"picture {number}"}
