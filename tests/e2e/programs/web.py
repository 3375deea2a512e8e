# SPDX-License-Identifier: Apache-2.0
"""A server and a client in one process: web.py SERVER CLIENT. The server is uvicorn (with h11 or
httptools) or the standard library's; the client asks it for the same answers each time."""

import asyncio
import json
import logging
import socket
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SERVER, CLIENT = sys.argv[1:3]
ITEMS = json.dumps({"items": [{"id": 7}], "total": 12.5}).encode()
ANSWERS = {  # path: status, headers, body
    "/items": (200, {"Content-Type": "application/json"}, ITEMS),
    "/busy": (503, {"Retry-After": "17"}, b"busy"),
    "/none": (204, {}, b""),
    "/pay": (201, {}, b"paid 1234"),
}


async def asgi(scope, receive, send):
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    if scope["path"] == "/stream":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for i in range(5):
            await send({"type": "http.response.body", "body": b"x" * 1000, "more_body": i < 4})
        return
    status, headers, body = ANSWERS[scope["path"]]
    pairs = [(k.lower().encode(), v.encode()) for k, v in headers.items()]
    if status != 204:
        pairs.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.split("?")[0]
        if path == "/stream":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for _ in range(5):
                self.wfile.write(b"3e8\r\n" + b"x" * 1000 + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
            return
        status, headers, body = ANSWERS[path]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *args):
        pass


def serve():
    if SERVER == "stdlib":
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server.server_address[1]
    import uvicorn

    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(asgi, http=SERVER, loop="asyncio", log_level="error",
                                           lifespan="off"))
    server.install_signal_handlers = lambda: None
    threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])),
                     daemon=True).start()
    while not server.started:
        time.sleep(0.01)
    return listening.getsockname()[1]


def ask(session, url, data=None, headers=None):
    if CLIENT == "urllib":
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data, headers or {}), timeout=5) as r:
                return r.status, len(r.read())
        except urllib.error.HTTPError as e:
            return e.code, len(e.read())
    r = session.request("POST" if data else "GET", url, data=data, headers=headers, timeout=5)
    return r.status_code, len(r.content)


def main():
    base, session = "http://127.0.0.1:%d" % serve(), None
    if CLIENT == "requests":
        import requests

        session = requests.Session()
    elif CLIENT == "httpx":
        import httpx

        session = httpx.Client()
    got = [ask(session, base + path) for path in ("/items?key=SECRET", "/busy", "/none", "/stream")]
    got.append(ask(session, base + "/pay", b"a" * 100, {"Idempotency-Key": "SECRET"}))
    try:
        raise ConnectionRefusedError(111, "SECRET")
    except OSError:
        logging.exception("SECRET from redis:6379")
    print(json.dumps(got))


main()
