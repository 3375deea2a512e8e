# SPDX-License-Identifier: Apache-2.0
"""T3: a worker that reconnects for ever, as workers must, with a capped and drawn backoff."""
import logging
import os
import random
import socket
import time

logging.basicConfig(level=logging.INFO)
attempt = 0
while True:
    try:
        with socket.create_connection(("127.0.0.1", int(os.environ["PEER_PORT"])), timeout=1) as peer:
            attempt = 0
            peer.sendall(b"GET /json HTTP/1.0\r\n\r\n")
            peer.recv(4096)
            time.sleep(0.3)
    except OSError as exc:
        attempt += 1
        wait = min(1.5, 0.1 * 2 ** attempt) * random.uniform(0.7, 1.0)
        logging.warning("broker unreachable, next attempt in %.2f s: %r", wait, exc)
        time.sleep(wait)
