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


def __getattr__(name):
    """`calls_PORT`: an application that asks a server at this port first, also for each message."""
    if not name.startswith("calls_"):
        raise AttributeError(name)

    async def ask():
        reader, writer = await asyncio.open_connection("127.0.0.1", int(name.split("_")[1]))
        writer.write(b"?")
        await reader.read(10)
        writer.close()

    async def call_upstream(scope, receive, send):
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            while (await receive())["type"] == "websocket.receive":
                await ask()
                await send({"type": "websocket.send", "text": "called"})
        elif scope["type"] == "http":
            await ask()
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"6")]})
            await send({"type": "http.response.body", "body": b"called"})

    return call_upstream


async def fails(scope, receive, send):
    """Takes a WebSocket, and has a mistake."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        raise KeyError("mistake")


def wsgi(environ, start):
    if environ["PATH_INFO"] == "/slow":
        time.sleep(0.3)
    body = environ["PATH_INFO"].encode()
    start("200 OK", [("Content-Length", str(len(body)))])
    return [body]
