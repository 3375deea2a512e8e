# SPDX-License-Identifier: Apache-2.0
"""A socket by hand, whose limit shrinks to what is left of the whole."""
import os
import socket
import time

from fastapi import FastAPI, HTTPException

app = FastAPI()


def read_all(peer, deadline):
    data = b""
    while True:
        peer.settimeout(max(0.01, deadline - time.monotonic()))
        part = peer.recv(1024)
        if not part:
            return data
        data += part


@app.get("/file")
def file():
    try:
        with socket.create_connection(("127.0.0.1", int(os.environ["PEER_PORT"])), timeout=1) as peer:
            peer.sendall(b"GET /long HTTP/1.0\r\n\r\n")
            return {"size": len(read_all(peer, time.monotonic() + 1))}
    except OSError as exc:
        print("ERROR no file:", repr(exc), flush=True)
        raise HTTPException(503, "no file") from exc
