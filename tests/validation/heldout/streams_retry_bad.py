# SPDX-License-Identifier: Apache-2.0
"""A server of bare asyncio streams, with a retry decorator of its own making: at once, eight times."""
import asyncio
import logging
import os


def again(times):
    def wrap(call):
        async def inner(*args):
            for left in range(times - 1, -1, -1):
                try:
                    return await call(*args)
                except OSError as exc:
                    logging.warning("%s: %r, %d tries left", call.__name__, exc, left)
                    if not left:
                        raise
        return inner
    return wrap


@again(8)
async def fetch():
    reader, writer = await asyncio.open_connection("127.0.0.1", os.environ["PEER_PORT"])
    writer.write(b"GET /stock HTTP/1.0\r\n\r\n")
    return (await asyncio.wait_for(reader.read(), 1)).partition(b"\r\n\r\n")[2]


async def serve(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    try:
        head, body = b"200 OK", await fetch()
    except (OSError, asyncio.TimeoutError):
        head, body = b"503 Service Unavailable\r\nRetry-After: 2", b'{"error": "stock unavailable"}'
    writer.write(b"HTTP/1.0 " + head + b"\r\n\r\n" + body)
    writer.close()

loop = asyncio.new_event_loop()
loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", os.environ["PORT"]))
loop.run_forever()
