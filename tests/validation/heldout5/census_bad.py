# SPDX-License-Identifier: Apache-2.0
"""Two processes count heads in redis, over a socket of their own protocol."""
import logging
import multiprocessing
import os
import random
import socket
import time


class Book:
    def __init__(self):
        self.line = None

    def open(self):
        self.line = socket.create_connection(("127.0.0.1", int(os.environ["REDIS_PORT"])), timeout=2)

    def count(self, house):
        words = (b"INCR", b"house:%d" % house)
        self.line.sendall(b"*2\r\n" + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        return int(self.line.recv(4096)[1:].split()[0])


def walk(book):
    while True:
        try:
            print("heads", book.count(random.randrange(9)), flush=True)
        except (OSError, ValueError) as exc:
            logging.error("book at port %s: %r", os.environ["REDIS_PORT"], exc)
        time.sleep(random.uniform(0.2, 0.6))


if __name__ == "__main__":
    shared = Book()
    shared.open()
    walkers = [multiprocessing.Process(target=walk, args=(shared,)) for _ in range(2)]
    for walker in walkers:
        walker.start()
    for walker in walkers:
        walker.join()
