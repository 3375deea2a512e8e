# SPDX-License-Identifier: Apache-2.0
"""The other end of every latency and effect test; never runs under the library.

Listens on free ports of the loopback address (or of PEER_HOST) and prints them as one JSON line:
`plain`, `plain2`, `tls` (with a certificate and key as arguments), `http`, `closed` (nobody listens)
and `deaf` (nobody accepts). Commands are lines: `echo TEXT`, `stream N GAP_MS`, `last TEXT`, `eof`, `rst MS`,
`big N`, `half`, `pause MS`, `count`. All times sent are CLOCK_MONOTONIC, which client and peer share.
How each connection ended goes to stdout."""

import errno
import http.server
import json
import os
import socket
import ssl
import struct
import sys
import threading
import time

lock = threading.Lock()
HOST = os.environ.get("PEER_HOST", "127.0.0.1")


def say(**what):
    with lock:
        print(json.dumps(what), flush=True)


def serve_line(conn, words):
    """Answers one command; returns False when the connection is over."""
    if words[0] == b"echo":
        conn.sendall(b" ".join(words[1:]) + b"\n")
    elif words[0] == b"stream":
        for _ in range(int(words[1])):
            conn.sendall(b"%.6f\n" % time.monotonic())
            time.sleep(int(words[2]) / 1000)
    elif words[0] == b"eof":
        conn.sendall(b"%.6f\n" % time.monotonic())
        return False
    elif words[0] == b"last":
        conn.sendall(b" ".join(words[1:]) + b"\n")
        return False
    elif words[0] == b"half":
        conn.sendall(b"%.6f\n" % time.monotonic())
        conn.shutdown(socket.SHUT_WR)
    elif words[0] == b"rst":
        at = time.monotonic() + int(words[1]) / 1000
        conn.sendall(b"%.6f\n" % at)
        time.sleep(max(0, at - time.monotonic()))
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False
    elif words[0] == b"big":
        n = int(words[1])
        conn.sendall((bytes(range(256)) * (n // 256 + 1))[:n])
    elif words[0] == b"pause":
        time.sleep(int(words[1]) / 1000)
    return True


def serve(conn, port, context):
    received, end, rest = 0, "eof", b""
    try:
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context:
            conn = context.wrap_socket(conn, server_side=True)
        going = True
        while going:
            data = conn.recv(65536)
            if not data:
                break
            received += len(data)
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                if line == b"count":
                    conn.sendall(b"%d\n" % received)
                elif going and line:
                    going = serve_line(conn, line.split(b" "))
    except OSError as e:
        end = errno.errorcode.get(e.errno, type(e).__name__)
    conn.close()
    say(end=end, received=received, port=port, at=time.monotonic())


def listen(context=None, accept=True):
    s = socket.socket()
    s.bind((HOST, 0))
    s.listen(64)

    def run():
        while True:
            conn, who = s.accept()
            threading.Thread(target=serve, args=(conn, who[1], context), daemon=True).start()

    if accept:
        threading.Thread(target=run, daemon=True).start()
    return s


class Web(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = b'{"ok": true}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def main():
    sockets = {"plain": listen(), "plain2": listen(), "deaf": listen(accept=False)}
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
        sockets["tls"] = listen(context)
    ports = {name: s.getsockname()[1] for name, s in sockets.items()}
    web = http.server.ThreadingHTTPServer((HOST, 0), Web)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    ports["http"] = web.server_address[1]
    with socket.socket() as s:
        s.bind((HOST, 0))
        ports["closed"] = s.getsockname()[1]
    say(**ports)
    sys.stdin.read()  # whoever started us closes it


main()
