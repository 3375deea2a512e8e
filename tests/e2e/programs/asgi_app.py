# SPDX-License-Identifier: Apache-2.0
"""An application for real servers: as ASGI `app` and as WSGI `wsgi`. Both answer /slow after a while,
/none with 204, and everything else with its path; `app` also takes WebSockets."""

import asyncio
import time


async def app(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": "GET /not-a-request HTTP/1.1\r\n\r\n"})
        return
    if scope["type"] != "http":
        return
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body")
    path = scope["path"]
    if path == "/slow":
        await asyncio.sleep(0.3)
    body = b"" if path == "/none" else b"%s %d" % (path.encode(), size)
    await send({"type": "http.response.start", "status": 204 if path == "/none" else 200,
                "headers": [] if path == "/none" else [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def wsgi(environ, start):
    if environ["PATH_INFO"] == "/slow":
        time.sleep(0.3)
    body = environ["PATH_INFO"].encode()
    start("200 OK", [("Content-Length", str(len(body)))])
    return [body]
