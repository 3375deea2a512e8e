# SPDX-License-Identifier: Apache-2.0
"""Forecasts are fetched by urllib in a handler of aiohttp."""
import logging
import os
import urllib.request

from aiohttp import web


class Forecasts:
    def __init__(self, base):
        self.base = base

    def fetch(self, city):
        with urllib.request.urlopen(f"{self.base}/forecast/{city}", timeout=3) as answer:
            return answer.read().decode()

    async def show(self, request):
        city = request.match_info["city"]
        try:
            return web.json_response({"city": city, "text": self.fetch(city)})
        except OSError as exc:
            logging.error("forecasts of %s: %r", self.base, exc)
            return web.json_response({"error": "no forecast"}, status=503)


async def opening(request):
    return web.json_response({"opening": "from eight to six"})


app = web.Application()
app.router.add_get("/city/{city}", Forecasts(os.environ["PEER"]).show)
app.router.add_get("/opening", opening)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
