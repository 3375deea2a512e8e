# SPDX-License-Identifier: Apache-2.0
"""Asks the peer on one connection, over and over; prints what each answer was. Works with every CPython.
attached_client.py PORT [fork]: `fork` has a child of it do so, made when a line is read."""

import os
import socket
import sys
import time


def ask(s):
    try:
        s.sendall(b"?")
        return s.recv(1).decode() or "end"
    except ConnectionResetError:
        return "reset"


def main():
    print(os.getpid(), flush=True)
    if "fork" in sys.argv:
        sys.stdin.readline()
        if os.fork():
            os.wait()
            return
    while True:
        s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
        answer = "?"
        while answer not in ("reset", "end"):
            answer = ask(s)
            print(os.getpid(), answer, flush=True)
            time.sleep(0.02)
        s.close()


main()
