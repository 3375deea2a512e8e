# SPDX-License-Identifier: Apache-2.0
"""The same socket; SO_RCVTIMEO bounds its reads, without settimeout()."""
import os
import socket
import struct
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        status, answer = 200, b""
        with socket.create_connection(("127.0.0.1", int(os.environ["PEER_PORT"]))) as peer:
            limit = struct.pack("ll", 0, 400_000)
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
            try:
                peer.sendall(b"GET /json HTTP/1.0\r\n\r\n")
                answer = b"".join(iter(lambda: peer.recv(4096), b""))
            except OSError as exc:
                print(f"WARNING peer did not answer: {exc!r}", file=sys.stderr, flush=True)
                status = 503
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer[-2:])))
        self.end_headers()
        self.wfile.write(answer[-2:])


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
