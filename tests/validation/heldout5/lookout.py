# SPDX-License-Identifier: Apache-2.0
"""Looks whether something came before it reads: the socket has no limit, the look has."""
import logging
import os
import select
import socket
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def ask(path):
    end, parts = time.monotonic() + 1.5, []
    with socket.create_connection(("127.0.0.1", int(os.environ["PEER_PORT"])), timeout=1) as line:
        line.settimeout(None)
        line.sendall(b"GET %s HTTP/1.0\r\nHost: peer\r\n\r\n" % path.encode())
        while select.select([line], [], [], max(0, end - time.monotonic()))[0]:
            if not (part := line.recv(4096)):
                return b"".join(parts).partition(b"\r\n\r\n")[2]
            parts.append(part)
    raise TimeoutError(f"nothing from {line} in time")


class Tower(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            status, body = 200, ask(self.path)
        except OSError as exc:
            logging.error("lookout to port %s: %r", os.environ["PEER_PORT"], exc)
            status, body = 503, b'{"error": "nothing seen"}'
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Tower).serve_forever()
