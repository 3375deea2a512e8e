# SPDX-License-Identifier: Apache-2.0
"""The smallest server of its kind, with what Python brings along: a protocol begins a task for each request.
The routes are those of pool_app.py that need nothing else; PEERS as there."""

import asyncio
import concurrent.futures
import functools
import os
import socket
import sys

PEERS = [int(port) for port in os.environ["PEERS"].split()]
POOL = concurrent.futures.ThreadPoolExecutor(4)
KEPT = set()


def keep(coroutine):
    task = asyncio.get_running_loop().create_task(coroutine)
    KEPT.add(task)
    task.add_done_callback(KEPT.discard)


def ask(port):
    with socket.create_connection(("127.0.0.1", port), 20) as c:
        c.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        while c.recv(1000):
            pass


async def ask_async(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.read()
    writer.close()


async def executor(port):
    loop = asyncio.get_running_loop()
    for _ in range(2):
        await loop.run_in_executor(None, functools.partial(ask, port))


async def threadpool(port):
    if hasattr(asyncio, "to_thread"):
        await asyncio.to_thread(ask, port)
    else:
        await executor(port)


async def gather(port):
    await asyncio.gather(ask_async(port), asyncio.ensure_future(ask_async(port)))


async def nested(port):
    def first():
        for f in [POOL.submit(ask, port) for _ in range(2)]:
            f.result()
    await asyncio.get_running_loop().run_in_executor(None, first)


async def background(port):
    async def later():
        await asyncio.sleep(0.2)
        await ask_async(port)
    keep(later())


KINDS = [executor, threadpool, ask_async, gather, nested, background]


class Protocol(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        keep(self.serve(int(data.split()[1].rsplit(b"-", 1)[1])))

    async def serve(self, n):
        await KINDS[n % len(KINDS)](PEERS[n])
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        self.transport.close()


async def main():
    server = await asyncio.get_running_loop().create_server(Protocol, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


asyncio.run(main())
