# SPDX-License-Identifier: Apache-2.0
"""Kills children of its own with SIGKILL, at random instants: kills.py PORT N SEED

Each child makes faulted calls in one thread or in several, and after each of them writes one byte to a
pipe: an acknowledgement. For each child a line comes out: its process id, its threads, its acknowledgements."""

import os
import random
import signal
import socket
import sys
import threading
import time

port, n, dice = int(sys.argv[1]), int(sys.argv[2]), random.Random(int(sys.argv[3]))
TOGETHER = 4
CALLS = 1000  # of each thread: their faults fit into the test's recording, however late the kill


def call_often(ack):
    for _ in range(CALLS):
        s = socket.socket()
        assert s.connect_ex(("127.0.0.1", port)) == 111
        os.write(ack, b".")
        s.close()
    time.sleep(60)


def child(ack, threads):
    for _ in range(threads - 1):
        threading.Thread(target=call_often, args=(ack,), daemon=True).start()
    call_often(ack)


def start(threads):
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        child(writing, threads)
    os.close(writing)
    return pid, reading, threads


def end(pid, reading, threads):
    os.kill(pid, signal.SIGKILL)
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL
    acks = 0
    while piece := os.read(reading, 65536):
        acks += len(piece)
    os.close(reading)
    print(pid, threads, acks, flush=True)


for _ in range(n // TOGETHER):
    running = [start(dice.choice((1, 1, 2, 4))) for _ in range(TOGETHER)]
    for one in running:
        time.sleep(dice.choice((0, 0, 0.002, 0.01)) * dice.random())
        end(*one)
