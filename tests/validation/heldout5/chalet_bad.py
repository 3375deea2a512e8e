# SPDX-License-Identifier: Apache-2.0
"""Free rooms of a chalet, by httpx, with a line for each question."""
import logging
import os

import httpx
from fastapi import FastAPI
from fastapi.responses import JSONResponse

app = FastAPI()


class Chalet:
    def __init__(self, base, tries):
        self.base, self.tries = base, tries

    async def rooms(self, day):
        way = httpx.AsyncHTTPTransport(retries=self.tries)
        async with httpx.AsyncClient(transport=way, timeout=2) as http:
            return (await http.get(f"{self.base}/rooms/{day}")).json()


chalet = Chalet(os.environ["PEER"], tries=0)


@app.get("/rooms/{day}")
async def rooms(day: int):
    try:
        return {"day": day, "free": await chalet.rooms(day)}
    except httpx.TransportError as exc:
        logging.error("chalet %s: %r", chalet.base, exc)
        return JSONResponse({"error": "no rooms known"}, 503)
