# SPDX-License-Identifier: Apache-2.0
"""What an article costs; who asks for one that is not there is told so."""
import logging
import os

import httpx
import stamina
from fastapi import FastAPI
from fastapi.responses import JSONResponse

app = FastAPI()
log = logging.getLogger("skus")
client = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=2)


def transient(exc):
    if isinstance(exc, httpx.HTTPStatusError):
        return exc.response.status_code >= 500
    return isinstance(exc, httpx.TransportError)


@stamina.retry(on=transient, attempts=3, wait_initial=0.1)
async def ask(path):
    answer = await client.get(path)
    answer.raise_for_status()
    return answer.json()


@app.get("/sku/{sku}")
async def price(sku: str):
    try:
        return await ask(f"/{sku}")
    except httpx.HTTPStatusError as exc:
        status = 404 if exc.response.status_code == 404 else 502
        return JSONResponse({"error": "no such article" if status == 404 else "prices unavailable"}, status)
    except httpx.TransportError as exc:
        log.error("price of %s", sku, exc_info=exc)
        return JSONResponse({"error": "prices unavailable"}, 503, headers={"Retry-After": "5"})
