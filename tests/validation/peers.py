# SPDX-License-Identifier: Apache-2.0
"""What an application under test talks to: one healthy HTTP peer per run, on a port of its own.

It is never at fault itself; mishap breaks the way to it inside the application."""
import itertools
import json
import random
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


asked = itertools.count()  # for what is busy every other time


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        path = self.path.split("?", maxsplit=1)[0]
        if path == "/longpoll":  # an answer when there is news, which is every two seconds
            time.sleep(2)
        elif path == "/late":
            time.sleep(0.15 if random.random() < 0.04 else 0.005)
        elif path == "/uneven":
            time.sleep(0.12 if random.random() < 0.3 else 0.005)
        if path == "/ticks":
            self.tick()
        elif path.startswith("/missing") or (path == "/season" and self.server.is_over()):
            self.answer(b'{"error": "not here"}', 404)
        elif path == "/busy" and next(asked) % 2 == 0:
            self.answer(b'{"error": "busy"}', 503, ("Retry-After", "2"))
        elif path == "/items":
            self.answer(json.dumps([{"item": n, "name": f"item {n}"} for n in range(100)]).encode())
        else:
            self.answer(b"x" * 16000 if path == "/long" else b'{"value": 42, "unit": "teapots"}')
        if path == "/hangup":  # a kept-alive connection that is closed without a word
            self.close_connection = True

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer(b'{"taken": true}')

    do_PUT = do_POST

    def tick(self):
        """A part every 100 ms for more than a second, as a stream has it."""
        self.send_response(200)
        self.send_header("Content-Length", str(14 * 1000))
        self.end_headers()
        for _ in range(14):
            self.wfile.write(b"t" * 999 + b"\n")
            time.sleep(0.1)

    def answer(self, body, status=200, *more):
        self.send_response(status)
        for header in more:
            self.send_header(*header)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    season = 24  # so many good answers there are

    def is_over(self):
        self.season -= 1
        return self.season < 0

    def handle_error(self, request, client_address):
        """Connections that mishap resets end in errors here; they are what is being tested."""


class Twins(Server):
    """The same peer at a second address, 127.0.0.2, for those who know both."""

    def __init__(self):
        for _ in range(20):
            super().__init__(("127.0.0.1", 0), Handler)
            try:
                self.twin = Server(("127.0.0.2", self.server_address[1]), Handler)
                return
            except OSError:  # taken there
                super().server_close()
        raise OSError("no port that is free at both addresses")

    def shutdown(self):
        self.twin.shutdown()
        super().shutdown()

    def server_close(self):
        self.twin.server_close()
        super().server_close()


def start():
    """Returns (server, port); server.shutdown() ends it."""
    server = Twins()
    for each in (server, server.twin):
        threading.Thread(target=each.serve_forever, args=(0.1,), daemon=True).start()
    return server, server.server_address[1]
