# SPDX-License-Identifier: Apache-2.0
"""A socket that is looked at until a deadline, which is reckoned by the time of day."""
import os
import select
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def quote():
    deadline = time.time() + 1.2
    with socket.create_connection(("127.0.0.1", int(os.environ["PEER_PORT"])), timeout=1) as peer:
        peer.sendall(b"GET /json HTTP/1.0\r\n\r\n")
        answer = b""
        while True:
            left = deadline - time.time()
            if left <= 0:
                raise TimeoutError("no quote in time")
            if select.select([peer], [], [], left)[0]:
                part = peer.recv(4096)
                if not part:
                    return answer[-2:]
                answer += part


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        status, answer = 200, b""
        try:
            answer = quote()
        except OSError as exc:
            print(f"WARNING no quote from the peer: {exc!r}", file=sys.stderr, flush=True)
            status = 503
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
