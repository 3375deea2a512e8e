# SPDX-License-Identifier: Apache-2.0
"""Failures are collected for a status page; each exception holds its frames, and they a socket."""
import http.client
import logging
import os

from fastapi import FastAPI, HTTPException

log = logging.getLogger("uvicorn.error")
app = FastAPI()
failures = []


@app.get("/ping")
def ping():
    peer = http.client.HTTPConnection("127.0.0.1", int(os.environ["PEER_PORT"]), timeout=2)
    try:
        peer.request("GET", "/json")
        body = peer.getresponse().read()
    except OSError as exc:
        log.warning("ping failed: %r", exc)
        failures.append(exc)
        raise HTTPException(503, "down", headers={"Retry-After": "1"})
    peer.close()
    return {"bytes": len(body)}
