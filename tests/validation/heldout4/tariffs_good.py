# SPDX-License-Identifier: Apache-2.0
"""Parcel tariffs. The handler hands a blocking client to a pool of threads of the service's own."""
import asyncio
import concurrent.futures
import json
import logging
import os

import urllib3
from aiohttp import web


class Tariffs:
    def __init__(self, base):
        self.base = base
        self.http = urllib3.PoolManager(maxsize=64, retries=False, timeout=urllib3.Timeout(connect=1, read=1))

    def of(self, zone):
        answer = self.http.request("GET", f"{self.base}/tariff/{zone}")
        return json.loads(answer.data)["value"]


async def tariff(request):
    zone, loop = request.match_info["zone"], asyncio.get_running_loop()
    try:
        cents = await loop.run_in_executor(request.app["threads"], request.app["tariffs"].of, zone)
    except urllib3.exceptions.HTTPError as exc:
        logging.warning("no tariff of zone %s from %s: %r", zone, request.app["tariffs"].base, exc)
        return web.json_response({"error": "tariffs are not available"}, status=503)
    return web.json_response({"zone": zone, "cents": cents})


async def zones(request):
    return web.json_response(["north", "south"])


app = web.Application()
app["tariffs"] = Tariffs(os.environ["PEER"])
app["threads"] = concurrent.futures.ThreadPoolExecutor(64)
app.add_routes([web.get("/tariff/{zone}", tariff), web.get("/zones", zones)])
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
