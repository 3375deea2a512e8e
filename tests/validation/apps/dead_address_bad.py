# SPDX-License-Identifier: Apache-2.0
"""The peer is looked up once, when the module is loaded."""
import os
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PEER = socket.gethostbyname("localhost")


def quote():
    with socket.create_connection((PEER, int(os.environ["PEER_PORT"])), timeout=1) as peer:
        peer.sendall(b"GET /json HTTP/1.0\r\n\r\n")
        return b"".join(iter(lambda: peer.recv(4096), b""))[-2:]


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
