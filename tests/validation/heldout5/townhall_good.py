# SPDX-License-Identifier: Apache-2.0
"""Reports are fetched, notices are our own; both are made by threads of a pool."""
import asyncio
import logging
import os
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

threads = ThreadPoolExecutor(2)
others = ThreadPoolExecutor(2)


def report(number):
    with urllib.request.urlopen(f"{os.environ['PEER']}/report/{number}", timeout=4) as answer:
        return answer.read().decode()


def notice(number):
    return f"notice {number}: the town hall is open from nine to four"


def route(work, pool):
    async def handler(request):
        loop = asyncio.get_running_loop()
        try:
            text = await loop.run_in_executor(pool, work, request.match_info["number"])
        except OSError as exc:
            logging.error("%s of %s: %r", request.path, os.environ["PEER"], exc)
            return web.json_response({"error": "not now"}, status=503)
        return web.json_response({"text": text})
    return handler


app = web.Application()
app.router.add_get("/report/{number}", route(report, threads))
app.router.add_get("/notice/{number}", route(notice, others))
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
