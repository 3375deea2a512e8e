# SPDX-License-Identifier: Apache-2.0
"""Forecasts. Connections are kept in a stack of one's own; each handler borrows one."""
import http.client
import json
import logging
import os
import queue
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Upstream:
    def __init__(self, port, size=16):
        self.free = queue.LifoQueue()
        for _ in range(size):
            self.free.put(http.client.HTTPConnection("127.0.0.1", port, timeout=2))

    def get(self, path):
        line = self.free.get(timeout=0.5)
        try:
            line.request("GET", path)
            return json.loads(line.getresponse().read())
        except (OSError, http.client.HTTPException):
            line.close()
            raise
        finally:
            self.free.put(line)


class Handler(BaseHTTPRequestHandler):
    upstream = Upstream(int(os.environ["PEER_PORT"]))

    def do_GET(self):
        try:
            status, body = 200, self.upstream.get("/forecast" + self.path)
        except (OSError, http.client.HTTPException, queue.Empty) as exc:
            logging.error("no forecast for %s", self.path, exc_info=exc)
            status, body = 503, {"error": "no forecast"}
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


ThreadingHTTPServer.daemon_threads = True
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
