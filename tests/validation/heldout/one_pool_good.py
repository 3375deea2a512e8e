# SPDX-License-Identifier: Apache-2.0
"""aiohttp server; the peer and the disk have threads of their own."""
import asyncio
import os
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

pools = {"/recs": ThreadPoolExecutor(4), "/files": ThreadPoolExecutor(2)}


def fetch():
    with urllib.request.urlopen(os.environ["PEER"] + "/recs", timeout=1.5) as answer:
        return answer.read()


def count():
    return str(len(os.listdir(os.environ["DATA"]))).encode()


async def run(request):
    work = fetch if request.path == "/recs" else count
    try:
        body = await asyncio.get_running_loop().run_in_executor(pools[request.path], work)
        return web.Response(body=body)
    except OSError as exc:
        request.app.logger.warning("%s failed: %r", request.path, exc)
        raise web.HTTPServiceUnavailable(headers={"Retry-After": "2"})


app = web.Application()
app.router.add_get("/recs", run)
app.router.add_get("/files", run)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
