# SPDX-License-Identifier: Apache-2.0
"""Whether there is an alarm; twelve tries, and a line in the log for each that failed."""
import logging
import os

import httpx
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from tenacity import before_sleep_log, retry, retry_if_exception_type, stop_after_attempt, wait_random

logging.basicConfig(format="%(levelname)s %(name)s %(message)s")
app = FastAPI()
log = logging.getLogger("sirens")
client = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=1)


@retry(retry=retry_if_exception_type(httpx.TransportError), stop=stop_after_attempt(13), wait=wait_random(0.05, 0.15),
       before_sleep=before_sleep_log(log, logging.WARNING), reraise=True)


async def ask(town):
    return (await client.get(f"/alarms/{town}")).json()


@app.get("/alarm/{town}")
async def alarm(town: int):
    try:
        return await ask(town)
    except httpx.TransportError as exc:
        log.error("alarms of %s: %r", client.base_url, exc)
        return JSONResponse({"error": "nobody knows"}, 503, headers={"Retry-After": "5"})
