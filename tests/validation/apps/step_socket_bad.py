# SPDX-License-Identifier: Apache-2.0
"""One kept connection; after a timeout the answer still comes, and the next caller takes it for its own."""
import os
import socket
import threading

from flask import Flask

app = Flask(__name__)
lock = threading.Lock()
kept = []


def ask(path):
    with lock:
        if not kept:
            kept.append(socket.create_connection(("127.0.0.1", int(os.environ["PEER_PORT"])), timeout=0.3))
        kept[0].sendall(f"GET {path} HTTP/1.1\r\nHost: peer\r\n\r\n".encode())
        return kept[0].recv(4096).decode()


@app.get("/value")
def value():
    try:
        return {"value": ask("/json")[-40:]}
    except OSError as exc:
        app.logger.error("no value: %r", exc)
        return {"error": "no value"}, 503, {"Retry-After": "1"}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
