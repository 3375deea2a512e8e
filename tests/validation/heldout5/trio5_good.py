# SPDX-License-Identifier: Apache-2.0
"""Three processes take turns at one door; the parent waits for them."""
import multiprocessing
import multiprocessing.connection
import os
from http.server import BaseHTTPRequestHandler, HTTPServer


class Hello(BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"hello": "from one of three"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def start(server):
    worker = multiprocessing.Process(target=server.serve_forever, daemon=True)
    worker.start()
    return worker


def main():
    server = HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Hello)
    server.socket.setblocking(False)
    workers = [start(server) for _ in range(3)]
    while True:
        multiprocessing.connection.wait([worker.sentinel for worker in workers])
        workers = [worker if worker.is_alive() else start(server) for worker in workers]


main()
