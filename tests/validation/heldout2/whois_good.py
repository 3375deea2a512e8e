# SPDX-License-Identifier: Apache-2.0
"""Look-ups over a protocol of lines; keeps what was said of the last errors for a page about them."""
import collections
import os
import socket

from flask import Flask, jsonify

app = Flask(__name__)
errors = collections.deque(maxlen=10)


def lookup(name):
    with socket.create_connection(("127.0.0.1", int(os.environ["PEER_PORT"])), timeout=1) as line:
        line.sendall(f"GET /whois/{name} HTTP/1.0\r\n\r\n".encode())
        answer = b""
        while part := line.recv(4096):
            answer += part
    return answer.decode().splitlines()[-1]


@app.get("/whois/<int:name>")
def whois(name):
    try:
        return jsonify(name=name, owner=lookup(name))
    except OSError as exc:
        errors.append(repr(exc))
        app.logger.error("whois of %d", name, exc_info=True)
        return jsonify(error="registry unavailable"), 503, {"Retry-After": "5"}


@app.get("/errors")
def shown():
    return jsonify(list(errors))


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
