# SPDX-License-Identifier: Apache-2.0
"""aiohttp server; every blocking thing goes to the same four threads."""
import asyncio
import os
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

threads = ThreadPoolExecutor(4)


def fetch():
    with urllib.request.urlopen(os.environ["PEER"] + "/recs", timeout=1.5) as answer:
        return answer.read()


def count():
    return str(len(os.listdir(os.environ["DATA"]))).encode()


async def run(request):
    work = fetch if request.path == "/recs" else count
    try:
        return web.Response(body=await asyncio.get_running_loop().run_in_executor(threads, work))
    except OSError as exc:
        request.app.logger.warning("%s failed: %r", request.path, exc)
        raise web.HTTPServiceUnavailable(headers={"Retry-After": "2"})


app = web.Application()
app.router.add_get("/recs", run)
app.router.add_get("/files", run)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
