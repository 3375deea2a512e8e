# SPDX-License-Identifier: Apache-2.0
"""A server of streams; each caller has the gatehouse ask inside."""
import asyncio
import logging
import os

INSIDE, ROOM, asking = int(os.environ["PEER_PORT"]), 20, set()


async def ask(path):
    reader, writer = await asyncio.open_connection("127.0.0.1", INSIDE)
    try:
        writer.write(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path)
        return (await reader.read(-1)).partition(b"\r\n\r\n")[2]
    finally:
        writer.close()


async def answer(path):
    if len(asking) >= ROOM:
        return b"503 Full\r\nRetry-After: 2", b'{"error": "full"}'
    asking.add(me := asyncio.current_task())
    try:
        return b"200 Fine", await asyncio.wait_for(ask(path), 6)
    except (OSError, asyncio.TimeoutError) as exc:
        logging.error("inside at port %d: %r", INSIDE, exc)
        return b"502 Away", b'{"error": "nobody is inside"}'
    finally:
        asking.discard(me)


async def caller(reader, writer):
    status, body = await answer((await reader.readuntil(b"\r\n\r\n")).split()[1])
    writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (status, len(body), body))
    writer.close()


loop = asyncio.new_event_loop()
loop.run_until_complete(asyncio.start_server(caller, "127.0.0.1", int(os.environ["PORT"])))
loop.run_forever()
