# SPDX-License-Identifier: Apache-2.0
"""Failures are collected as text, and the socket is closed whatever happens."""
import contextlib
import logging
import os
import socket

from fastapi import FastAPI, HTTPException

log = logging.getLogger("uvicorn.error")
app = FastAPI()
failures = []


def fetch():
    address = ("127.0.0.1", int(os.environ["PEER_PORT"]))
    with contextlib.closing(socket.create_connection(address, timeout=2)) as peer:
        peer.sendall(b"GET /json HTTP/1.0\r\n\r\n")
        return peer.recv(4096)


@app.get("/ping")
def ping():
    try:
        return {"bytes": len(fetch())}
    except OSError as exc:
        log.warning("ping failed: %r", exc)
        failures.append(repr(exc))
        raise HTTPException(503, "down", headers={"Retry-After": "1"})
