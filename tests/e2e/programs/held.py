# SPDX-License-Identifier: Apache-2.0
"""Asks a peer and waits for the answer, or sends until nobody takes more: held.py PORT WAY. Says "ready", and the
moment at which the wait was over."""
import asyncio
import os
import select
import socket
import sys
import time

port, way = int(sys.argv[1]), sys.argv[2]


def connected():
    s = socket.create_connection(("127.0.0.1", port))
    s.sendall(b"echo x\n")
    return s


def polled(s, maker):
    p = maker()
    p.register(s, select.POLLIN)
    p.poll()


async def stream():
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"echo x\n")
    await reader.readline()


WAYS = {
    "recv": lambda: connected().recv(10),
    "limit": lambda: (lambda s: (s.settimeout(30), s.recv(10)))(connected()),
    "poll": lambda: polled(connected(), select.poll),
    "epoll": lambda: polled(connected(), select.epoll),
    "select": lambda: select.select([connected()], [], []),
    "asyncio": lambda: asyncio.run(stream()),
    "send": connected,
    "connect": lambda: socket.create_connection(("127.0.0.1", port)),
    "timeout": lambda: socket.create_connection(("127.0.0.1", port), 30).sendall(b"echo x\n"),
    "open": lambda: open(sys.argv[3], "rb").close(),
    "read": lambda: os.read(os.open(sys.argv[3], os.O_RDONLY), 10),
    "getaddrinfo": lambda: socket.getaddrinfo("localhost", 80),
}
print("ready", flush=True)
WAYS[way]()
print(time.monotonic(), flush=True)
