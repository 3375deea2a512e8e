# SPDX-License-Identifier: Apache-2.0
"""A server with an accept loop of its own, which one full table of descriptors ends."""
import os
import socket
import threading


def answer(client):
    with client:
        client.settimeout(2)
        client.recv(4096)
        client.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")


listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])), backlog=64)
while True:
    client, _ = listener.accept()
    threading.Thread(target=answer, args=(client,), daemon=True).start()
