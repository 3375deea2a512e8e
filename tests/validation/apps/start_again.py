# SPDX-License-Identifier: Apache-2.0
"""Workers that leave when their store is not there; whoever started them starts them again."""
import os
import socket
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import redis


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")


class Server(HTTPServer):
    def server_bind(self):
        self.socket = listener


listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))


def work():
    redis.from_url(os.environ["REDIS_URL"], socket_timeout=1).ping()
    Server(("127.0.0.1", 0), Handler).serve_forever()


pids, alone = set(), os.getpid()
while os.getpid() == alone:
    while len(pids) < 2:
        pid = os.fork()
        if not pid:
            work()
        pids.add(pid)
    pids.discard(os.wait()[0])
    time.sleep(1)
