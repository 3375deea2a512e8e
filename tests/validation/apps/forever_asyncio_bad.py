# SPDX-License-Identifier: Apache-2.0
"""A coroutine that opens a connection until it gets one."""
import asyncio
import os

from aiohttp import web


async def ping(request):
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1",
                                                           int(os.environ["PEER_PORT"]))
            break
        except OSError:
            await asyncio.sleep(0.02)
    writer.write(b"GET /json HTTP/1.0\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 2)
    writer.close()
    return web.Response(body=answer[-2:])


app = web.Application()
app.add_routes([web.get("/ping", ping)])
if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]))
