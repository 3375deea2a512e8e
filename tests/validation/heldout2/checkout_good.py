# SPDX-License-Identifier: Apache-2.0
"""Checkout: charges cards at the payment provider, shows exchange rates."""
import logging
import os
import uuid
from contextlib import asynccontextmanager

import httpx
import stamina
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

log = logging.getLogger("checkout")


@asynccontextmanager
async def lifespan(app: FastAPI):
    async with httpx.AsyncClient(base_url=os.environ["PEER"], timeout=0.8) as client:
        app.state.provider = client
        yield


app = FastAPI(lifespan=lifespan)


@app.exception_handler(httpx.TransportError)
async def provider_down(request: Request, exc: httpx.TransportError):
    log.error("payment provider failed for %s", request.url.path, exc_info=exc)
    return JSONResponse({"error": "payment provider unavailable"}, 503, headers={"Retry-After": "5"})


@app.post("/charge/{order}")
async def charge(order: int, request: Request):
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    async for attempt in stamina.retry_context(on=httpx.TransportError, attempts=2, wait_initial=0.2, wait_jitter=0.3):
        with attempt:
            answer = await request.app.state.provider.post(
                "/charges", json={"order": order, "cents": 4200}, headers=headers)
    return {"order": order, "charged": answer.json()["taken"]}


@app.get("/rates")
async def rates(request: Request):
    answer = await request.app.state.provider.get("/rates")
    return answer.json()
