# SPDX-License-Identifier: Apache-2.0
"""WebSockets: the upgrade is a request, the connection is one unit of work; however long it lasts, it
neither hangs nor fails by that, and its messages are no requests."""

import socket
import struct
import threading

import mhr
import pytest
import servers
from guest import has_module
from test_units_http import Server, ask

UPGRADE = ("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")
ACCEPTED = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
TEXT = b"\x81\x82\0\0\0\0hi"


def closing(code):
    return b"\x88\x82\0\0\0\0" + struct.pack(">H", code)


@pytest.fixture(params=["wsproto", "websockets"])
def served(request, guest):
    """Makes servers of an application of asgi_app.py, with each implementation that uvicorn knows."""
    if not has_module(request.param):
        pytest.skip("python3-%s is not installed" % request.param)
    return lambda app="asgi_app:app", config=None: Server(guest, "uvicorn", "--ws", request.param, app=app,
                                                          config=config)


def upgraded(server):
    s = server.connect()
    s.sendall(ask("/ws/7", headers=UPGRADE))
    servers.read_until(s, b"\r\n\r\n")
    return s


def test_one_unit_of_work(served):
    with served() as s, upgraded(s) as c:
        for _ in range(3):
            c.sendall(TEXT)
            servers.read_until(c, b"/not-a-request")
        c.sendall(closing(1000))
        while c.recv(1000):
            pass
    assert s.units() == [("GET /ws/7", 101, 0), ("WEBSOCKET /ws/7", 0, 0)]
    assert [(e["side"], e["what"]) for e in s.events("spoken")] == [(2, mhr.SPOKEN["websocket"])]
    report = s.report()
    assert any("became WebSockets" in b for b in report["blind_spots"])
    (unit,) = report["units"]
    assert (unit["kind"], unit["name"], unit["state"]) == ("websocket", "WEBSOCKET /ws/{n}", "succeeded")


def test_a_client_that_leaves(served):
    with served() as s, upgraded(s) as c:
        c.sendall(TEXT)
        servers.read_until(c, b"/not-a-request")
        c.close()
    assert s.units()[1] == ("WEBSOCKET /ws/7", 0, 1)


def test_an_error_of_the_server(served):
    """Closed with 1011, or without a word: it failed either way."""
    with served("asgi_app:fails") as s, upgraded(s) as c:
        c.sendall(TEXT)
        while c.recv(1000):
            pass
    (unit,) = s.report()["units"]
    assert unit["state"] == "failed", s.units()


def test_faults_within(served, guest):
    """What it does between its messages belongs to it; that it lasts is no hang."""
    with socket.create_server(("127.0.0.1", 0)) as upstream:
        port = upstream.getsockname()[1]
        slow = "[fault slow]\ncall = recv\npeer = 127.0.0.1:%d\ndelay = 20ms\n" % port
        with served("asgi_app:calls_%d" % port, slow) as s, upgraded(s) as c:
            for _ in range(3):
                c.sendall(TEXT)
                with upstream.accept()[0] as called:
                    called.sendall(b"!")
                    servers.read_until(c, b"called")
    report = s.report()
    outcomes = {name: o["count"] for name, o in report["outcomes"].items() if o["count"]}
    assert outcomes == {"absorbed": 1}, "one unit, one site: one trial"
    assert report["outcomes"]["absorbed"]["example"].startswith("WEBSOCKET /ws/{n}  ")
    assert not [f for f in report["findings"] if f["rule"] in ("MH-0101", "MH-0402", "MH-0403")], report["findings"]


def test_as_a_client(guest):
    """One request, the upgrade. A client that waits for what may come waits for no answer."""
    if not has_module("aiohttp"):
        pytest.skip("python3-aiohttp is not installed")

    def serve():
        connection, _ = listener.accept()
        with connection:
            key = servers.read_until(connection, b"\r\n\r\n").split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0]
            connection.sendall(accept_for(key))
            for _ in range(3):
                connection.recv(1000)
                connection.sendall(b"\x81\x02ho\x81\x02ho")
            connection.recv(1000)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        done = guest.code("""
            import aiohttp, asyncio, sys
            async def main():
                async with aiohttp.ClientSession() as s:
                    async with s.ws_connect("http://127.0.0.1:%s/chat" % sys.argv[1], timeout=0.1) as ws:
                        for _ in range(3):
                            await ws.send_str("hi")
                            print(await ws.receive_str(), await ws.receive_str())
                        await asyncio.sleep(0.2)
            asyncio.run(main())
        """, listener.getsockname()[1])
    assert done.stdout == "ho ho\n" * 3, done.stderr
    assert [e["tail"] for e in done.events("request")] == ["GET /chat"]
    assert [e["status"] for e in done.events("response")] == [101]
    assert not any(e["pending"] for e in done.events("close"))


def accept_for(key):
    import base64
    import hashlib

    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    return ACCEPTED.replace(b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", accept)
