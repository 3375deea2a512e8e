# SPDX-License-Identifier: Apache-2.0
"""A supervisor that does not replace its workers, but closes the port when the last one is gone."""
import os
import socket
import time


def serve(listener):
    while True:
        connection, _ = listener.accept()
        with connection:
            if connection.recv(4096):
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nwell")


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", int(os.environ["PORT"]))) as listener:
        for _ in range(2):
            if os.fork() == 0:
                serve(listener)
        for _ in range(2):
            os.wait()
    while True:
        time.sleep(1)
