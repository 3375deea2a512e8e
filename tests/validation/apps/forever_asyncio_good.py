# SPDX-License-Identifier: Apache-2.0
"""The same coroutine with a limit of attempts and growing waits."""
import asyncio
import logging
import os
import random

from aiohttp import web


async def ping(request):
    for attempt in range(3):
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1",
                                                           int(os.environ["PEER_PORT"]))
            break
        except OSError as exc:
            logging.warning("attempt %d: %r", attempt, exc)
            await asyncio.sleep(random.uniform(0.1, 0.2) * 2 ** attempt)
    else:
        return web.Response(status=503, headers={"Retry-After": "1"})
    writer.write(b"GET /json HTTP/1.0\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 2)
    writer.close()
    return web.Response(body=answer[-2:])


app = web.Application()
app.add_routes([web.get("/ping", ping)])
if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]))
