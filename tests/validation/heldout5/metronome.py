# SPDX-License-Identifier: Apache-2.0
"""A clock that ticks forty times a second, by signals, while a socket that must not block is read."""
import os
import random
import selectors
import signal
import socket
import time

ticks = []
signal.signal(signal.SIGALRM, lambda *_: ticks.append(None))
signal.setitimer(signal.ITIMER_REAL, 0.025, 0.025)
line = socket.create_connection(("127.0.0.1", int(os.environ["REDIS_PORT"])), timeout=2)
line.setblocking(False)
watch = selectors.DefaultSelector()
watch.register(line, selectors.EVENT_READ)


def ask(words):
    line.send(words)
    end, answer = time.monotonic() + 2, b""
    while not answer.endswith(b"\r\n") and time.monotonic() < end:
        try:
            answer += line.recv(4096)
        except BlockingIOError:
            watch.select(0.5)
    return answer


while True:
    print(len(ticks), ask(b"INCR beats\r\n"), flush=True)
    time.sleep(random.uniform(0.1, 0.3))
