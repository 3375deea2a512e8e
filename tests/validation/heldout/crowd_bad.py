# SPDX-License-Identifier: Apache-2.0
"""Bare socketserver, a thread for each request, as many as come."""
import os
import socketserver
import urllib.request


class Front(socketserver.StreamRequestHandler):
    def handle(self):
        while self.rfile.readline().strip():
            pass
        try:
            with urllib.request.urlopen(os.environ["PEER"] + "/slow", timeout=6) as answer:
                status, body = b"200 OK", answer.read()
        except OSError as exc:
            print("peer failed:", repr(exc), flush=True)
            status, body = b"503 Service Unavailable", b"{}"
        self.wfile.write(b"HTTP/1.0 " + status + b"\r\n\r\n" + body)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads, request_queue_size = True, True, 128


Server(("127.0.0.1", int(os.environ["PORT"])), Front).serve_forever()
