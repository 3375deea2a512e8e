# SPDX-License-Identifier: Apache-2.0
"""One connection that is kept and works: that the name has moved meanwhile is no reason to leave it."""
import http.client
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

lock = threading.Lock()
peer = http.client.HTTPConnection("localhost", int(os.environ["PEER_PORT"]), timeout=2)


def quote():
    with lock:
        peer.request("GET", "/json")
        return peer.getresponse().read()[-2:]


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
