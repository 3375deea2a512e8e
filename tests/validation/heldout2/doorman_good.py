# SPDX-License-Identifier: Apache-2.0
"""A bare loop that rests when there are no descriptors left."""
import logging
import os
import socket
import threading
import time


def serve(connection):
    with connection:
        connection.settimeout(5)
        head = b""
        while b"\r\n\r\n" not in head:
            more = connection.recv(4096)
            if not more:
                return
            head += more
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n")


door = socket.create_server(("127.0.0.1", int(os.environ["PORT"])), backlog=64)
while True:
    try:
        connection, _ = door.accept()
    except OSError:
        logging.exception("accept on port %s", os.environ["PORT"])
        time.sleep(0.25)
        continue
    threading.Thread(target=serve, args=(connection,), daemon=True).start()
