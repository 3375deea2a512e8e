# SPDX-License-Identifier: Apache-2.0
"""A prefork server by hand; the parent replaces its dead."""
import os
import socket

listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])), backlog=64)


def work():
    while True:
        client, _ = listener.accept()
        with client:
            client.settimeout(2)
            try:
                client.recv(4096)
                client.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
            except OSError as exc:
                print("client failed:", repr(exc), flush=True)


def spawn():
    if os.fork() == 0:
        work()


for _ in range(4):
    spawn()
while True:
    print("worker ended", os.wait(), flush=True)
    spawn()
