# SPDX-License-Identifier: Apache-2.0
"""The same ping; `with` closes on every way out."""
import os
import socket

from flask import Flask

app = Flask(__name__)


@app.get("/ping")
def ping():
    try:
        with socket.create_connection(("127.0.0.1", int(os.environ["PEER_PORT"])), timeout=2) as peer:
            peer.sendall(b"GET /json HTTP/1.0\r\n\r\n")
            return peer.recv(4096)[:12]
    except OSError as exc:
        app.logger.warning("ping failed: %r", exc)
        return {"error": "down"}, 503, {"Retry-After": "1"}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
