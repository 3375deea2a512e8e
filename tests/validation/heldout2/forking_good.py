# SPDX-License-Identifier: Apache-2.0
"""A small prefork server that replaces its children."""
import os
import time
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


def child(server):
    pid = os.fork()
    if pid:
        return pid
    server.serve_forever()


def main(size=2):
    server = HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Hello)
    server.socket.listen(64)
    children = {child(server) for _ in range(size)}
    while True:
        pid, status = os.wait()
        children.discard(pid)
        print(f"child {pid} ended with {status}; another one", flush=True)
        time.sleep(0.2)
        children.add(child(server))


main()
