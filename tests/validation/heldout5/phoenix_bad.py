# SPDX-License-Identifier: Apache-2.0
"""A child serves one after the other and dies of what it did not think of; its parent begins it anew."""
import multiprocessing
import os
import socket
import time
import urllib.request


def song(path):
    with urllib.request.urlopen(os.environ["PEER"] + path, timeout=2) as answer:
        return b"200 Fine", answer.read()


def serve(door):
    while True:
        caller, _ = door.accept()
        with caller:
            path = caller.recv(4096).partition(b" ")[2].partition(b" ")[0].decode()
            if path:
                status, body = song(path)
                caller.sendall(b"HTTP/1.0 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))


if __name__ == "__main__":
    nest = socket.create_server(("127.0.0.1", int(os.environ["PORT"])), backlog=64)
    while True:
        bird = multiprocessing.Process(target=serve, args=(nest,))
        bird.start()
        bird.join()
        time.sleep(0.7)
