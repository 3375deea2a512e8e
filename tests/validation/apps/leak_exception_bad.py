# SPDX-License-Identifier: Apache-2.0
"""Failures are collected for a status page; each exception holds its frames, and they a socket."""
import logging
import os
import socket

from fastapi import FastAPI, HTTPException

log = logging.getLogger("uvicorn.error")
app = FastAPI()
failures = []


def fetch():
    peer = socket.create_connection(("127.0.0.1", int(os.environ["PEER_PORT"])), timeout=2)
    peer.sendall(b"GET /json HTTP/1.0\r\n\r\n")
    return peer.recv(4096)


@app.get("/ping")
def ping():
    try:
        return {"bytes": len(fetch())}
    except OSError as exc:
        log.warning("ping failed: %r", exc)
        failures.append(exc)
        raise HTTPException(503, "down", headers={"Retry-After": "1"})
