# SPDX-License-Identifier: Apache-2.0
"""A page of parts: many small requests of which any may fail. None of them is ever repeated."""
import asyncio
import logging
import os

import aiohttp
from aiohttp import web

PEER = os.environ["PEER"]
STATIC = [{"section": n, "text": "what is always there " * 5} for n in range(12)]


async def part(session, name):
    async with session.get(f"{PEER}/part/{name}") as answer:
        return await answer.json()


async def page(request):
    session = request.app["session"]
    parts = await asyncio.gather(*(part(session, n) for n in range(6)), return_exceptions=True)
    failed = [p for p in parts if isinstance(p, BaseException)]
    if failed:
        logging.warning("page without %d of %d parts of %s: %r", len(failed), len(parts), PEER, failed[0])
    return web.json_response({"static": STATIC, "parts": [p for p in parts if p not in failed],
                              "degraded": bool(failed)})


async def feed(request):
    session, entries, missing = request.app["session"], [], []
    for number in range(5):
        try:
            entries.append(await part(session, f"feed-{number}"))
        except aiohttp.ClientError as exc:
            missing.append(f"feed {number}: {exc!r}")
    if missing:
        logging.warning("feed is short: %s", "; ".join(missing))
    return web.json_response({"static": STATIC, "entries": entries, "missing": len(missing)})


async def session_of(app):
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=1.5)) as app["session"]:
        yield


def main():
    logging.basicConfig(level=logging.INFO)
    app = web.Application()
    app.cleanup_ctx.append(session_of)
    app.add_routes([web.get("/page", page), web.get("/feed", feed)])
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None, access_log=None)


if __name__ == "__main__":
    main()
