# SPDX-License-Identifier: Apache-2.0
"""A request has an identifier, in the log as in the answer, and errors are told with it, as JSON by structlog."""
import os
import uuid

import httpx
import structlog
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

structlog.configure(processors=[structlog.contextvars.merge_contextvars, structlog.processors.add_log_level,
                                structlog.processors.TimeStamper(fmt="iso"), structlog.processors.format_exc_info,
                                structlog.processors.JSONRenderer()])
app = FastAPI()
log = structlog.get_logger("desk")
client = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=2)


@app.middleware("http")
async def identify(request: Request, call_next):
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=str(uuid.uuid4()), path=request.url.path)
    return await call_next(request)


@app.exception_handler(httpx.TransportError)
async def peer_down(request: Request, exc: httpx.TransportError):
    log.error("upstream failed", upstream=str(client.base_url), exc_info=exc)
    return JSONResponse({"error": "upstream unavailable"}, 503, headers={"Retry-After": "5"})


@app.get("/desk/{desk}")
async def desk(desk: int):
    return (await client.get(f"/desks/{desk}")).json()
