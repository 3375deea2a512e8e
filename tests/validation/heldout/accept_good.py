# SPDX-License-Identifier: Apache-2.0
"""A server with an accept loop of its own, which waits when there are no descriptors."""
import logging
import os
import socket
import threading
import time


def answer(client):
    with client:
        client.settimeout(2)
        client.recv(4096)
        client.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")


listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])), backlog=64)
while True:
    try:
        client, _ = listener.accept()
    except OSError as exc:
        logging.warning("nobody is let in: %r", exc)
        time.sleep(0.2)
        continue
    threading.Thread(target=answer, args=(client,), daemon=True).start()
