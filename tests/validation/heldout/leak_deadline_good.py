# SPDX-License-Identifier: Apache-2.0
"""Starlette over a protocol of asyncio; what comes too late is not waited for, and closed."""
import asyncio
import logging
import os

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route


class Answer(asyncio.Protocol):
    def __init__(self):
        self.text = asyncio.get_running_loop().create_future()

    def data_received(self, data):
        if not self.text.done():
            self.text.set_result(data.partition(b"\r\n\r\n")[2])

    def connection_lost(self, exc):
        if not self.text.done():
            self.text.set_exception(exc or ConnectionResetError("closed"))


async def rate(request):
    loop, port = asyncio.get_running_loop(), os.environ["PEER_PORT"]
    transport, answer = await loop.create_connection(Answer, "127.0.0.1", port)
    transport.write(b"GET /rate HTTP/1.1\r\nHost: rates\r\n\r\n")
    try:
        text = await asyncio.wait_for(answer.text, 0.5)
    except (OSError, asyncio.TimeoutError) as exc:
        logging.warning("no rate from the peer: %r", exc)
        return PlainTextResponse("rates are late", 504)
    finally:
        transport.close()
    return PlainTextResponse(text)


app = Starlette(routes=[Route("/rate", rate)])
