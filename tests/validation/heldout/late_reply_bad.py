# SPDX-License-Identifier: Apache-2.0
"""Flask in one thread, redis spoken by hand; a reply that came too late is read by the next request."""
import os
import socket

from flask import Flask

app = Flask(__name__)
wire = None


def get(key):
    global wire
    if wire is None:
        wire = socket.create_connection(("127.0.0.1", int(os.environ["REDIS_PORT"])), 0.3)
    wire.sendall(b"*2\r\n$4\r\nECHO\r\n$%d\r\n%s\r\n" % (len(key), key.encode()))
    return wire.recv(4096).split(b"\r\n")[1]


@app.get("/echo/<key>")
def echo(key):
    try:
        return get(key)
    except OSError as exc:
        app.logger.warning("redis failed: %r", exc)
        return {"error": "redis"}, 503


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=False)
