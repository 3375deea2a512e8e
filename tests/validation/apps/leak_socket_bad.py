# SPDX-License-Identifier: Apache-2.0
"""Broken connections are kept "to look at later"; nobody does."""
import os
import socket

from flask import Flask

app = Flask(__name__)
broken = []


@app.get("/ping")
def ping():
    peer = socket.create_connection(("127.0.0.1", int(os.environ["PEER_PORT"])), timeout=2)
    try:
        peer.sendall(b"GET /json HTTP/1.0\r\n\r\n")
        answer = peer.recv(4096)
        peer.close()
        return answer[:12]
    except OSError as exc:
        app.logger.warning("ping failed: %r", exc)
        broken.append(peer)
        return {"error": "down"}, 503, {"Retry-After": "1"}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
