# SPDX-License-Identifier: Apache-2.0
"""Scores of games, behind a breaker made by hand."""
import logging
import os
import time

import httpx
from fastapi import FastAPI
from fastapi.responses import JSONResponse

app = FastAPI()
log = logging.getLogger("scores")
client = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=1)
REST, LIMIT = 5.0, 4


class Breaker:
    failures, until = 0, 0.0

    def refuses(self):
        if self.failures < LIMIT:
            return False
        now = time.monotonic()
        if now >= self.until:
            return False
        self.until = now + REST  # still asked for: rest longer
        return True

    def note(self, failed):
        self.failures = self.failures + 1 if failed else 0
        self.until = time.monotonic() + REST


breaker = Breaker()


@app.get("/score/{game}")
async def score(game: int):
    if breaker.refuses():
        log.warning("breaker of %s is open", client.base_url)
        return JSONResponse({"error": "scores unavailable"}, 503, headers={"Retry-After": "5"})
    try:
        answer = await client.get(f"/score/{game}")
    except httpx.TransportError as exc:
        breaker.note(failed=True)
        log.warning("score of %d", game, exc_info=exc)
        return JSONResponse({"error": "scores unavailable"}, 503, headers={"Retry-After": "5"})
    breaker.note(failed=False)
    return answer.json()
