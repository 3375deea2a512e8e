# SPDX-License-Identifier: Apache-2.0
"""Clients that wait in an event loop, beside round trips to a healthy peer on the same loop: loops.py
LOOP-NAME PORT PEER CERTIFICATE, LOOP being asyncio, uvloop or trio."""

import asyncio
import ssl
import sys

from harness import CERTIFICATE, HOST, PEER, PORT, asyncio_main, serve_async


class Streams:
    tls = None

    async def open(self, limit):
        self.limit = limit
        self.reader, self.writer = await asyncio.open_connection(HOST, PORT, ssl=self.tls)

    async def ask(self):
        self.writer.write(b"echo hello\n")
        return await asyncio.wait_for(self.reader.readline(), self.limit) == b"hello\n"

    def close(self):
        self.writer.close()


class Tls(Streams):
    async def open(self, limit):
        self.tls = ssl.create_default_context(cafile=CERTIFICATE)
        await super().open(limit)


class Anyio:
    async def open(self, limit):
        import anyio

        self.limit = limit
        self.s = await anyio.connect_tcp(HOST, PORT)

    async def ask(self):
        import anyio

        await self.s.send(b"echo hello\n")
        with anyio.fail_after(self.limit):
            return await self.s.receive(100) == b"hello\n"

    async def close(self):
        await self.s.aclose()


class Trio:
    async def open(self, limit):
        import trio

        self.limit = limit or 3600
        self.s = await trio.open_tcp_stream(HOST, PORT)

    async def ask(self):
        import trio

        await self.s.send_all(b"echo hello\n")
        with trio.fail_after(self.limit):
            return await self.s.receive_some(100) == b"hello\n"

    async def close(self):
        await self.s.aclose()


class Httpx:
    async def open(self, limit):
        import httpx

        self.client = httpx.AsyncClient(timeout=limit, trust_env=False)

    async def ask(self):
        return (await self.client.get("http://%s:%d/" % (HOST, PORT))).json()["ok"]

    async def close(self):
        await self.client.aclose()


class Aiohttp:
    async def open(self, limit):
        import aiohttp

        self.session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=limit))

    async def ask(self):
        async with self.session.get("http://%s:%d/" % (HOST, PORT)) as r:
            return (await r.json())["ok"]

    async def close(self):
        await self.session.close()


class Redis:
    async def open(self, limit):
        import redis.asyncio
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        self.client = redis.asyncio.Redis(host=HOST, port=PORT, socket_timeout=limit, retry=Retry(NoBackoff(), 0))

    async def ask(self):
        return await self.client.echo("hello") == b"hello"

    async def close(self):
        await self.client.close()
        await self.client.connection_pool.disconnect()


class Psycopg:
    async def open(self, limit):
        import psycopg

        self.limit = limit
        self.c = await psycopg.AsyncConnection.connect(host=HOST, port=PORT, user="postgres", sslmode="disable",
                                                       autocommit=True)

    async def ask(self):
        async def query():
            return await (await self.c.execute("select 41 + 1")).fetchone()

        # Not wait_for(): from 3.2 on, a query that is cancelled waits for the server's word on that.
        task = asyncio.ensure_future(query())
        if not (await asyncio.wait([task], timeout=self.limit))[0]:
            task.cancel()
            raise TimeoutError
        return await task == (42,)

    async def close(self):
        await self.c.close()


class Asyncpg:
    async def open(self, limit):
        import asyncpg

        self.c = await asyncpg.connect(host=HOST, port=PORT, user="postgres", database="postgres", ssl=False,
                                       command_timeout=limit)

    async def ask(self):
        return await self.c.fetchval("select 41 + 1") == 42

    def close(self):
        self.c.terminate()


CLIENTS = {"streams": Streams, "tls": Tls, "anyio": Anyio, "trio": Trio, "httpx": Httpx, "aiohttp": Aiohttp,
           "redis": Redis, "psycopg": Psycopg, "asyncpg": Asyncpg}


async def trio_main(client_class):
    import contextlib

    import trio

    s = await trio.open_tcp_stream(HOST, PEER)

    async def ask():
        await s.send_all(b"echo x\n")
        await s.receive_some(100)

    @contextlib.asynccontextmanager
    async def spawn(run):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(run)
            yield

    await serve_async(client_class, ask, trio.sleep, spawn)


def main():
    loop, name = sys.argv[1].split("-", 1)
    if loop == "trio":
        import trio

        trio.run(trio_main, CLIENTS[name])
        return
    if loop == "uvloop":
        import uvloop

        uvloop.install()
    asyncio.run(asyncio_main(CLIENTS[name]))


main()
