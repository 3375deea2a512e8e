# SPDX-License-Identifier: Apache-2.0
"""Failures are collected as text, and the connection is closed whatever happens."""
import contextlib
import http.client
import logging
import os

from fastapi import FastAPI, HTTPException

log = logging.getLogger("uvicorn.error")
app = FastAPI()
failures = []


@app.get("/ping")
def ping():
    port = int(os.environ["PEER_PORT"])
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=2)) as peer:
        try:
            peer.request("GET", "/json")
            return {"bytes": len(peer.getresponse().read())}
        except OSError as exc:
            log.warning("ping failed: %r", exc)
            failures.append(repr(exc))
            raise HTTPException(503, "down", headers={"Retry-After": "1"})
