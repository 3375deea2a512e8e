# SPDX-License-Identifier: Apache-2.0
"""Timetables of ferries, over streams of asyncio."""
import asyncio
import logging
import os

from aiohttp import web

PORT = int(os.environ["PEER_PORT"])


async def ask(path):
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: peer\r\nConnection: close\r\n\r\n".encode())
        return (await reader.read(-1)).partition(b"\r\n\r\n")[2].decode()
    finally:
        writer.close()


async def ferry(request):
    try:
        async with asyncio.timeout(2):
            return web.json_response({"times": await ask(request.path)})
    except OSError as exc:
        logging.error("timetables at port %d: %r", PORT, exc)
        return web.json_response({"error": "no timetable"}, status=503)


app = web.Application()
app.router.add_get("/ferry/{number}", ferry)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
