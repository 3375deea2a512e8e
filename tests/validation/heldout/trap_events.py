# SPDX-License-Identifier: Apache-2.0
"""Flask; a route that waits for what is published in redis: idle by design, nothing is asked."""
import os
import socket
import threading
import time

import redis
from flask import Flask

app = Flask(__name__)


@app.get("/next")
def following():
    with socket.create_connection(("127.0.0.1", int(os.environ["REDIS_PORT"])), 2) as inbox:
        inbox.sendall(b"*2\r\n$9\r\nSUBSCRIBE\r\n$4\r\nnews\r\n")
        inbox.recv(4096)
        inbox.settimeout(None)
        return {"news": inbox.recv(4096).split(b"\r\n")[6].decode()}


def publish():
    paper = redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1)
    while True:
        time.sleep(1.5)
        paper.publish("news", "all is well")


threading.Thread(target=publish, daemon=True).start()
app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
