# SPDX-License-Identifier: Apache-2.0
"""A line to redis is opened by the one process and handed to the other, which alone runs with it."""
import logging
import multiprocessing
import os
import random
import socket
import time


def run(line):
    line.settimeout(2)
    while True:
        try:
            line.sendall(b"INCR laps\r\n")
            print("laps", line.recv(4096)[1:].strip().decode(), flush=True)
        except OSError as exc:
            logging.error("redis: %r", exc)
        time.sleep(random.uniform(0.1, 0.4))


if __name__ == "__main__":
    baton = socket.create_connection(("127.0.0.1", int(os.environ["REDIS_PORT"])), timeout=2)
    baton.sendall(b"SET laps 0\r\n")
    print(baton.recv(4096).strip().decode(), flush=True)
    runner = multiprocessing.Process(target=run, args=(baton,))
    runner.start()
    baton.close()
    runner.join()
