# SPDX-License-Identifier: Apache-2.0
"""A line server of one's own: one thread for each connection."""
import logging
import os
import socket
import threading

BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Dispatcher:
    def __init__(self, port):
        self.door = socket.create_server(("127.0.0.1", port), backlog=64)

    def serve(self, line):
        with line:
            line.settimeout(3)
            head = line.recv(65536)
            name = head.split(b" ")[1] if head.count(b" ") > 1 else b"?"
            body = b"dispatched " + name
            line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body))

    def run(self):
        while True:
            line, _ = self.door.accept()
            threading.Thread(target=self.serve, args=(line,), daemon=True).start()


logging.basicConfig(level=logging.INFO)
Dispatcher(int(os.environ["PORT"])).run()
