# SPDX-License-Identifier: Apache-2.0
"""Three processes, a socket of the same port each."""
import multiprocessing
import multiprocessing.connection
import os
import socket
from http.server import BaseHTTPRequestHandler, HTTPServer


class Hello(BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"hello from %d\n" % os.getpid()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Door(HTTPServer):
    def server_bind(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        super().server_bind()


def serve():
    Door(("127.0.0.1", int(os.environ["PORT"])), Hello).serve_forever()


def begin():
    process = multiprocessing.Process(target=serve)
    process.start()
    return process


if __name__ == "__main__":
    workers = [begin() for _ in range(3)]
    for worker in workers:
        worker.join()
