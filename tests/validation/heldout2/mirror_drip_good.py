# SPDX-License-Identifier: Apache-2.0
"""Documents, within a time for the whole of each."""
import asyncio
import os

import httpx
from quart import Quart

app = Quart(__name__)


@app.before_serving
async def open_client():
    app.client = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=0.6)


@app.errorhandler(httpx.HTTPError)
@app.errorhandler(TimeoutError)
async def failed(exc):
    app.logger.warning("documents: %r", exc)
    return {"error": "documents unavailable"}, 503, {"Retry-After": "2"}


@app.get("/document/<int:number>")
async def document(number):
    async with asyncio.timeout(1):
        answer = await app.client.get("/long")
    return {"number": number, "length": len(answer.content)}
