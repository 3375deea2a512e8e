# SPDX-License-Identifier: Apache-2.0
"""Rates of exchange from one house, opening hours from another; both are asked in threads."""
import asyncio
import logging
import os
from concurrent.futures import ThreadPoolExecutor

import requests
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

log = logging.getLogger("bureau")
RATES, HOURS = ThreadPoolExecutor(8), ThreadPoolExecutor(8)


def fetch(url):
    return requests.get(url, timeout=(0.5, 1)).json()


async def ask(url, pool):
    try:
        work = asyncio.get_running_loop().run_in_executor(pool, fetch, url)
        return JSONResponse(await asyncio.wait_for(work, 1.5))
    except (requests.RequestException, asyncio.TimeoutError) as exc:
        log.warning("%s: %r", url, exc)
        return JSONResponse({"error": "no answer in time"}, 504)


async def rate(request):
    return await ask(f"{os.environ['PEER']}/rate/{request.path_params['currency']}", RATES)


async def hours(request):
    return await ask(f"{os.environ['PEER2']}/hours/{request.path_params['branch']}", HOURS)


app = Starlette(routes=[Route("/rate/{currency}", rate), Route("/hours/{branch}", hours)])
