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
        way = httpx.AsyncHTTPTransport(retries=tries, limits=httpx.Limits(max_keepalive_connections=0))
        self.base, self.http = base, httpx.AsyncClient(transport=way, timeout=2)

    async def rooms(self, day):
        return (await self.http.get(f"{self.base}/rooms/{day}")).json()


chalet = Chalet(os.environ["PEER"], tries=2)


@app.get("/rooms/{day}")
async def rooms(day: int):
    try:
        return {"day": day, "free": await chalet.rooms(day)}
    except httpx.TransportError as exc:
        logging.error("chalet %s: %r", chalet.base, exc)
        return JSONResponse({"error": "no rooms known"}, 503)
