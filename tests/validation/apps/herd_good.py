# SPDX-License-Identifier: Apache-2.0
"""Seven consumers; when the broker is gone each comes back after a pause of its own."""
import logging
import os
import random
import socket
import time

logging.basicConfig(level=logging.INFO)


def consume():
    while True:
        try:
            with socket.create_connection(("127.0.0.1", int(os.environ["PEER_PORT"])), timeout=1) as peer:
                while True:
                    peer.sendall(b"GET /json HTTP/1.1\r\nHost: peer\r\n\r\n")
                    if not peer.recv(4096):
                        raise ConnectionResetError("broker has gone")
                    time.sleep(0.1)
        except OSError as exc:
            logging.warning("broker unreachable: %r", exc)
            time.sleep(pause())


def pause():
    return random.uniform(0.3, 4)


for _ in range(6):
    if os.fork() == 0:
        break
consume()
