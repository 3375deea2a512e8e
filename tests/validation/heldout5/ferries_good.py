# SPDX-License-Identifier: Apache-2.0
"""Timetables of ferries, over streams of asyncio."""
import asyncio
import logging
import os
import time

from aiohttp import web

PORT = int(os.environ["PEER_PORT"])
fuse = {"failed": 0, "until": 0.0}


async def ask(path):
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: peer\r\nConnection: close\r\n\r\n".encode())
        return (await reader.read(-1)).partition(b"\r\n\r\n")[2].decode()
    finally:
        writer.close()


async def ferry(request):
    if time.monotonic() < fuse["until"]:
        return web.json_response({"error": "no timetable for a while"}, status=503)
    try:
        async with asyncio.timeout(2):
            times = await ask(request.path)
        fuse["failed"] = 0
        return web.json_response({"times": times})
    except OSError as exc:
        fuse.update(failed=fuse["failed"] + 1, until=time.monotonic() + 3 if fuse["failed"] > 2 else 0)
        logging.error("timetables at port %d: %r", PORT, exc)
        return web.json_response({"error": "no timetable"}, status=503)


app = web.Application()
app.router.add_get("/ferry/{number}", ferry)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
