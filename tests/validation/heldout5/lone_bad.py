# SPDX-License-Identifier: Apache-2.0
"""One process that serves one caller after the other, and a parent that starts it again."""
import logging
import multiprocessing
import os
import socket
import time
import urllib.request


def fact(path):
    with urllib.request.urlopen(os.environ["PEER"] + path, timeout=2) as answer:
        return 200, answer.read()


def serve(listener):
    while True:
        caller, _ = listener.accept()
        with caller:
            caller.settimeout(2)
            path = caller.recv(4096).partition(b" ")[2].partition(b" ")[0].decode()
            if not path:
                continue
            status, body = fact(path)
            caller.sendall(b"HTTP/1.0 %d x\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))


if __name__ == "__main__":
    door = socket.create_server(("127.0.0.1", int(os.environ["PORT"])), backlog=64)
    while True:
        child = multiprocessing.Process(target=serve, args=(door,))
        child.start()
        child.join()
        logging.error("server ended with %s", child.exitcode)
        time.sleep(0.5)
