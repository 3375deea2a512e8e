# SPDX-License-Identifier: Apache-2.0
"""Search: everything that comes is let in."""
import asyncio
import logging
import os

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

app = FastAPI()
client = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=4,
                           limits=httpx.Limits(max_connections=500))


@app.exception_handler(httpx.TransportError)
async def down(request: Request, exc: httpx.TransportError):
    logging.error("search engine", exc_info=exc)
    return JSONResponse({"error": "search unavailable"}, 503, headers={"Retry-After": "5"})


@app.get("/search/{term}")
async def search(term: str):
    return (await client.get(f"/search/{term}")).json()


@app.get("/healthz")
async def healthz():
    return {"ok": True}
