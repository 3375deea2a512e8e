# SPDX-License-Identifier: Apache-2.0
"""Sends several commands at once and then reads all of their replies, as pipelining is."""
import logging
import os
import socket
import threading

from flask import Flask, jsonify

app = Flask(__name__)
local = threading.local()


def replies(*commands):
    if getattr(local, "file", None) is None:
        local.socket = socket.create_connection(("127.0.0.1", int(os.environ["REDIS_PORT"])), timeout=1.5)
        local.file = local.socket.makefile("rb")
    try:
        for command in commands:
            local.socket.sendall(command.encode() + b"\r\n")
        return [local.file.readline().decode().strip() for _ in commands]
    except OSError:
        local.file.close()
        local.socket.close()
        local.file = None
        raise


@app.get("/stats/<int:n>")
def stats(n):
    try:
        return jsonify(replies(f"INCR stats:{n}", f"EXISTS stats:{n}", f"STRLEN stats:{n}"))
    except OSError:
        logging.exception("redis")
        return jsonify(error="no statistics"), 503, {"Retry-After": "1"}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
