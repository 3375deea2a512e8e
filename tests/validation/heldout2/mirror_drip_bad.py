# SPDX-License-Identifier: Apache-2.0
"""Documents through a client whose timeout starts anew with every byte."""
import os

import httpx
from quart import Quart

app = Quart(__name__)


@app.before_serving
async def open_client():
    app.client = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=0.6)


@app.errorhandler(httpx.HTTPError)
async def failed(exc):
    app.logger.warning("documents: %r", exc)
    return {"error": "documents unavailable"}, 503, {"Retry-After": "2"}


@app.get("/document/<int:number>")
async def document(number):
    answer = await app.client.get("/long")
    return {"number": number, "length": len(answer.content)}
