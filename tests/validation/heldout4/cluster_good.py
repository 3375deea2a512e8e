# SPDX-License-Identifier: Apache-2.0
"""Two processes answer at one port that their parent opened."""
import multiprocessing
import os
import socket
import time
from http.server import BaseHTTPRequestHandler, HTTPServer


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"welcome\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def work(door):
    server = HTTPServer(door.getsockname(), Page, bind_and_activate=False)
    server.socket.close()
    server.socket = door
    server.serve_forever()


def begin(door):
    process = multiprocessing.Process(target=work, args=(door,), daemon=True)
    process.start()
    return process


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    door = socket.create_server(("127.0.0.1", int(os.environ["PORT"])), backlog=64)
    workers = [begin(door) for _ in range(2)]
    while True:  # the parent keeps books
        alive = sum(worker.is_alive() for worker in workers)
        with open(os.path.join(os.environ["DATA"], "alive"), "w", encoding="utf-8") as out:
            out.write(f"{alive}\n")
        workers = [worker if worker.is_alive() else begin(door) for worker in workers]
        time.sleep(0.5)
