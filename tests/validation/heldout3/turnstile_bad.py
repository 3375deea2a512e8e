# SPDX-License-Identifier: Apache-2.0
"""Workers that serve thirty requests each and are then begun anew. Each needs its redis."""
import logging
import os
import random
import socket
import time
import traceback
from http.server import BaseHTTPRequestHandler, HTTPServer

import redis

log = logging.getLogger("turnstile")


def store():
    client = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1)
    client.ping()
    return client


def handler(client):
    class Turnstile(BaseHTTPRequestHandler):
        def do_GET(self):
            try:
                status, body = 200, b"passed %d\n" % client.incr("passed")
            except redis.RedisError as exc:
                log.warning("not counted: %s", exc)
                status, body = 503, b"closed\n"
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass
    return Turnstile


def worker(listener):
    server = HTTPServer(listener.getsockname(), handler(store()), bind_and_activate=False)
    server.socket = listener
    for _ in range(30):
        server.handle_request()


def begin(listener):
    if os.fork() == 0:
        try:
            worker(listener)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)


door = socket.create_server(("127.0.0.1", int(os.environ["PORT"])), backlog=64)
for _ in range(2):
    begin(door)
while True:
    os.wait()
    time.sleep(0.3)
    begin(door)
