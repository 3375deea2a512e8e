# SPDX-License-Identifier: Apache-2.0
"""Flask; counts over UDP to an agent that is not there. Nobody waits for it, and nobody should."""
import contextlib
import os
import socket

from flask import Flask

app = Flask(__name__)
agent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
agent.connect(("127.0.0.1", 8125))


@app.get("/hello/<name>")
def hello(name):
    with contextlib.suppress(OSError):  # the kernel tells of the refusal at the next send
        agent.send(b"hello.count:1|c")
    return {"hello": name}


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
