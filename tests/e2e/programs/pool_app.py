# SPDX-License-Identifier: Apache-2.0
"""A server each of whose routes asks one peer of its own, and nobody else, one way or another. PEERS is the
list of the peers' ports; the routes are KINDS, one after the other."""

import asyncio
import concurrent.futures
import functools
import http.client
import os
import threading

from fastapi import BackgroundTasks, FastAPI
from starlette.concurrency import run_in_threadpool

app = FastAPI()
PEERS = [int(port) for port in os.environ["PEERS"].split()]
POOL = concurrent.futures.ThreadPoolExecutor(4)
KEPT = set()


def ask(port):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    c.request("GET", "/")
    body = c.getresponse().read()
    c.close()
    return body.decode()


async def ask_async(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return answer.split(b"\r\n\r\n")[1].decode()


def sync_route(port):
    def route():
        return [ask(port), ask(port)]
    return route


def executor_route(port):
    async def route():
        loop = asyncio.get_running_loop()
        return [await loop.run_in_executor(None, functools.partial(ask, port)) for _ in range(2)]
    return route


def threadpool_route(port):
    async def route():
        return [await run_in_threadpool(ask, port)]
    return route


def async_route(port):
    async def route():
        return [await ask_async(port), await ask_async(port)]
    return route


def gather_route(port):
    async def route():
        return await asyncio.gather(ask_async(port), asyncio.create_task(ask_async(port)))
    return route


def nested_route(port):
    def route():  # in one pool, and from there to another
        return [f.result() for f in [POOL.submit(ask, port) for _ in range(2)]]
    return route


def thread_route(port):
    def route():
        answers = []
        t = threading.Thread(target=lambda: answers.append(ask(port)))
        t.start()
        t.join()
        return answers
    return route


def background_route(port):
    async def later():
        await asyncio.sleep(0.2)
        await ask_async(port)

    async def route(tasks: BackgroundTasks):
        kept = asyncio.create_task(later())  # outlives the request
        KEPT.add(kept)
        kept.add_done_callback(KEPT.discard)
        tasks.add_task(later)
        return ["later"]
    return route


KINDS = [sync_route, executor_route, threadpool_route, async_route, gather_route, nested_route, thread_route,
         background_route]


for n, peer in enumerate(PEERS):
    name = "/%s-%s" % (KINDS[n % len(KINDS)].__name__[:-6], chr(ord("a") + n // len(KINDS)))
    app.get(name)(KINDS[n % len(KINDS)](peer))
