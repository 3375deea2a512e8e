# SPDX-License-Identifier: Apache-2.0
"""What every client of this folder is driven by: reads commands from stdin, answers with JSON lines.

    open LIMIT   a new client, with this limit in seconds for an answer (0: none), and one healthy exchange
    ask          one exchange: {"result": "ok" | exception, "took": s, "beside": [slowest, number]}
    close        closes it; what that raises does not matter

`beside` is about round trips to a healthy peer meanwhile, on the same loop (or another thread)."""

import asyncio
import inspect
import json
import sys
import time

now = time.monotonic
PORT, PEER, CERTIFICATE = int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
HOST = "127.0.0.1"


class Wrong(Exception):
    """The exchange gave something else than it should."""


def name_of(error):
    return "%s.%s" % (type(error).__module__.split(".")[0].lstrip("_"), type(error).__qualname__)


def check(good):
    if not good:
        raise Wrong
    return "ok"


class Beside:
    """Collects the healthy round trips; `turn` is one, made in the way of the loop."""

    def __init__(self):
        self.times, self.over = [], False

    def report(self):
        return [max(self.times, default=0), len(self.times)]

    async def run(self, ask, sleep):
        while not self.over:
            t = now()
            await ask()
            self.times.append(now() - t)
            await sleep(0.01)


def answer(**what):
    print(json.dumps(what), flush=True)


def commands():
    answer(ready=True)
    for line in sys.stdin:
        yield line.split()


async def settled(value):
    return await value if inspect.isawaitable(value) else value


async def serve_async(client_class, ask_beside, sleep, spawn):
    """For asyncio and trio: `spawn(coroutine function)` is an async context that runs it beside."""
    client = None
    for word, *args in commands():
        if word == "open":
            client = client_class()
            try:
                await client.open(float(args[0]) or None)
                answer(result=check(await client.ask()))
            except Exception as e:  # reported, whatever it is
                answer(result=name_of(e), text=str(e))
        elif word == "ask":
            beside, result = Beside(), None

            async def healthy(beside=beside):
                await beside.run(ask_beside, sleep)

            async with spawn(healthy):
                begun = now()
                try:
                    result = check(await client.ask())
                except Exception as e:
                    result = name_of(e)
                took = now() - begun
                beside.over = True
            answer(result=result, took=took, beside=beside.report())
        elif word == "close":
            try:
                await settled(client.close())
            except Exception:  # it may be broken: that is what the tests are about
                pass
            answer(closed=True)


def serve_blocking(client_class, spawn):
    """For threads and gevent: `spawn(beside)` starts round trips and returns what waits for their end."""
    client = None
    for word, *args in commands():
        if word == "open":
            client = client_class()
            try:
                client.open(float(args[0]) or None)
                answer(result=check(client.ask()))
            except Exception as e:
                answer(result=name_of(e), text=str(e))
        elif word == "ask":
            beside = Beside()
            join, begun = spawn(beside), now()
            try:
                result = check(client.ask())
            except Exception as e:
                result = name_of(e)
            took = now() - begun
            beside.over = True
            join()
            answer(result=result, took=took, beside=beside.report())
        elif word == "close":
            try:
                client.close()
            except Exception:
                pass
            answer(closed=True)


class AsyncioTask:
    """async with: a coroutine function runs beside."""

    def __init__(self, run):
        self.run = run

    async def __aenter__(self):
        self.task = asyncio.ensure_future(self.run())

    async def __aexit__(self, *error):
        await self.task


async def asyncio_main(client_class):
    reader, writer = await asyncio.open_connection(HOST, PEER)

    async def ask():
        writer.write(b"echo x\n")
        await reader.readline()

    await serve_async(client_class, ask, asyncio.sleep, AsyncioTask)
    writer.close()
