# SPDX-License-Identifier: Apache-2.0
"""A page of four parts, asked for at once; parts that are missing are named as such."""
import asyncio
import logging
import os

import httpx
from fastapi import FastAPI
from fastapi.responses import JSONResponse

app = FastAPI()
PARTS = ("violin", "viola", "cello", "bass")
http = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=2)


@app.get("/page/{number}")
async def page(number: int):
    answers = await asyncio.gather(*(http.get(f"/{part}/{number}") for part in PARTS), return_exceptions=True)
    missing = [part for part, answer in zip(PARTS, answers) if isinstance(answer, Exception)]
    for part, answer in zip(PARTS, answers):
        if part in missing:
            logging.warning("%s of page %d, %s: %r", part, number, http.base_url, answer)
    if len(missing) == len(PARTS):
        return JSONResponse({"error": "nobody plays"}, 503)
    return {"page": number, "missing": missing,
            "parts": {part: answer.json() for part, answer in zip(PARTS, answers) if part not in missing}}
