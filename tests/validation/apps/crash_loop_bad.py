# SPDX-License-Identifier: Apache-2.0
"""Workers that count themselves in before they serve, and leave when they cannot; others follow at once."""
import os
import socket
import time
from wsgiref.simple_server import WSGIServer, make_server

import redis
from flask import Flask

app = Flask(__name__)
listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))


class Server(WSGIServer):
    def server_bind(self):
        self.socket = listener
        self.server_name, self.server_port = listener.getsockname()
        self.setup_environ()


@app.route("/hello")
def hello():
    return "hello"


def work():
    redis.from_url(os.environ["REDIS_URL"], socket_timeout=1).incr("workers")
    make_server("", 0, app, Server).serve_forever()


pids, alone = set(), os.getpid()
while os.getpid() == alone:
    while len(pids) < 2:
        pid = os.fork()
        if not pid:
            work()
        pids.add(pid)
    pids.discard(os.wait()[0])
    time.sleep(0.1)
