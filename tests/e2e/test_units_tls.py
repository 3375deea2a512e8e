# SPDX-License-Identifier: Apache-2.0
"""Requests behind TLS: what whose turn it is says of them, on real servers and clients. Status, method
and path are not seen; that none of the handshake, of tickets, new keys or alerts is taken for a request
or an answer is what these tests are about."""

import contextlib
import socket
import ssl
import subprocess
import textwrap
import threading
import time

import mhr
import pytest
import servers
from guest import PYTHON, has_module
from queues import ended, wait_for
from test_units_http import Server, ask

SLOW = 250e6  # ns: what takes 0.3 s in asgi_app.py takes at least so long

SERVERS = {
    "uvicorn": ("uvicorn", "asgi_app:app", ["--http", "h11"]),
    "uvloop": ("uvicorn", "asgi_app:app", ["--loop", "uvloop", "--http", "h11"]),
    "gunicorn-threads": ("gunicorn", "asgi_app:wsgi", ["-k", "gthread", "--threads", "2", "--keep-alive", "30"]),
}


def secure(guest, kind, certificate, *more):
    module, app, options = SERVERS[kind]
    if kind == "uvloop" and not has_module("uvloop"):
        pytest.skip("python3-uvloop is not installed")
    cert, key = certificate
    files = ["--certfile", cert, "--keyfile", key] if module == "gunicorn" else [
        "--ssl-certfile", cert, "--ssl-keyfile", key, "--ssl-ciphers", "DEFAULT"]
    return Server(guest, module, *options, *files, *more, app=app)


def tls(server, certificate, version=ssl.TLSVersion.TLSv1_3, protocols=()):
    context = ssl.create_default_context(cafile=certificate[0])
    context.maximum_version = version
    if protocols:
        context.set_alpn_protocols(protocols)
    return context.wrap_socket(server.connect(), server_hostname="127.0.0.1")


def ends(server):
    """The last word on each unit, in the order of their begins."""
    last = {e["unit"]: e for e in server.events("unit_end")}
    return [last[e["unit"]] for e in server.events("unit_begin") if e["unit"] in last]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("kind", SERVERS)
def test_one_connection_for_many(guest, certificate, kind, version):
    paths = ["/a", "/slow", "/b", "/slow", "/c"]
    with secure(guest, kind, certificate) as s, tls(s, certificate, version) as c:
        for path in paths:
            c.sendall(ask(path))
            servers.read_until(c, path.encode())
    begun = s.events("unit_begin")
    assert [(e["tail"], e["spoken"]) for e in begun] == [("", mhr.SPOKEN["tls"])] * len(paths)
    assert [(e["status"], e["how"]) for e in ends(s)] == [(0, 0)] * len(paths)
    assert [p for p, e in zip(paths, ends(s)) if e["latency_ns"] >= SLOW] == ["/slow", "/slow"]
    assert all(e["stack"] for e in ends(s))


def test_what_a_report_says_of_them(guest, certificate):
    """What is not seen is said; what code they ran, where that called anybody, is their name."""
    with socket.create_server(("127.0.0.1", 0)) as upstream:
        port = upstream.getsockname()[1]
        slow = "[fault slow]\ncall = recv\npeer = 127.0.0.1:%d\ndelay = 20ms\n" % port
        with Server(guest, "uvicorn", "--ssl-certfile", certificate[0], "--ssl-keyfile", certificate[1],
                    app="asgi_app:calls_%d" % port, config=slow) as s, tls(s, certificate) as c:
            for _ in range(2):
                c.sendall(ask("/a"))
                with upstream.accept()[0] as called:
                    called.sendall(b"!")
                    servers.read_until(c, b"called")
        report = s.report()
    assert [r["route"] for r in report["routes"]] == ["TLS"]
    assert any("speak TLS" in b for b in report["blind_spots"])
    assert [t["note"] for t in report["run"]["tiers"] if t["tier"] == "H"] == ["HTTP/1.x; behind TLS when, but not what"]
    absorbed = report["outcomes"]["absorbed"]
    assert absorbed["count"] == 2 and "call_upstream  127.0.0.1:%d slow" % port in absorbed["example"]
    assert absorbed["example"].startswith("TLS ")
    assert not report["findings"] and any("behind TLS" in u["reason"] for u in report["unclear"])


def test_without_keep_alive(guest, certificate):
    """gunicorn's sync worker: a connection, a request. What nobody asks on is none."""
    with Server(guest, "gunicorn", "--certfile", certificate[0], "--keyfile", certificate[1],
                app="asgi_app:wsgi") as s:
        for _ in range(3):
            with tls(s, certificate) as c:
                c.sendall(ask("/slow"))
                servers.read_until(c, b"/slow")
        with tls(s, certificate):
            pass
    assert [e["how"] for e in ends(s)] == [0, 0, 0]
    assert all(e["latency_ns"] >= SLOW for e in ends(s))
    assert len(s.events("unit_begin")) == 3


def test_a_body_of_many_records(guest, certificate):
    with secure(guest, "uvicorn", certificate) as s, tls(s, certificate) as c:
        for size in 70000, 10:
            c.sendall(ask("/up", "POST", "Content-Length: %d\r\n" % size, bytes(size)))
            servers.read_until(c, b"/up %d" % size)
        c.sendall(ask("/up", "POST", "Transfer-Encoding: chunked\r\n"))
        for piece in b"3\r\nabc\r\n", b"0\r\n\r\n":
            time.sleep(0.05)
            c.sendall(piece)
        servers.read_until(c, b"/up 3")
    assert [e["how"] for e in ends(s)] == [0, 0, 0] and len(s.events("unit_begin")) == 3


def test_a_client_that_leaves(guest, certificate):
    with secure(guest, "uvicorn", certificate) as s:
        with tls(s, certificate) as c:
            c.sendall(ask("/slow"))
            time.sleep(0.1)
    assert [(e["how"], e["status"]) for e in ends(s)] == [(1, 0)]


SERVING = """
    import socket, ssl, sys
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*sys.argv[1:3])
    context.set_alpn_protocols(sys.argv[3:])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        connection, _ = listener.accept()
        with context.wrap_socket(connection, server_side=True) as s:
            for _ in range(2):
                s.recv(1000)
                if len(sys.argv) > 3:
                    s.sendall(b"frames, not lines" * 3)
"""


def talk_to(guest, code, certificate, protocols, texts):
    """What a program that serves one connection recorded of it."""
    process, out = guest.start([PYTHON, "-c", code, *certificate, *protocols], stdout=subprocess.PIPE)
    port = int(process.stdout.readline())
    context = ssl.create_default_context(cafile=certificate[0])
    context.set_alpn_protocols(["h2", "http/1.1"])
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port), 10),
                             server_hostname="127.0.0.1") as c:
        for text in texts:
            c.sendall(text)
            time.sleep(0.05)
        while c.recv(1000):
            pass
    process.wait(10)
    return mhr.read_dir(out)


def test_closed_without_an_answer(guest, certificate):
    seen = talk_to(guest, textwrap.dedent(SERVING), certificate, [], [ask("/a"), b"the rest of it: 20 bytes"])
    assert [e["how"] for e in seen if e["event"] == "unit_end"] == [2]


@pytest.mark.parametrize("protocol, spoken, units", [("h2", "tls_http2", 0), ("http/1.1", "tls", 2)])
def test_what_is_agreed(guest, certificate, protocol, spoken, units):
    """HTTP/2 has many requests at a time: it is called so. A client that only offers it is no hindrance."""
    seen = talk_to(guest, textwrap.dedent(SERVING), certificate, [protocol], [ask("/a"), ask("/b")])
    assert [e["what"] for e in seen if e["event"] == "spoken"][-1] == mhr.SPOKEN[spoken]
    assert len({e["unit"] for e in seen if e["event"] == "unit_begin"}) == units


def test_new_keys(guest, certificate):
    """A change of keys between two requests is none: openssl makes one of a line that begins with K."""
    said = bytearray()
    with secure(guest, "uvicorn", certificate) as s, ended(subprocess.Popen(
            ["stdbuf", "-o0", "openssl", "s_client", "-connect", "127.0.0.1:%d" % s.port, "-CAfile", certificate[0]],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)) as c:
        threading.Thread(target=lambda: [said.extend(b) for b in iter(lambda: c.stdout.read1(4096), b"")],
                         daemon=True).start()
        for awaited, text in ((b"R BLOCK", ask("/a")), (b"/a 0", b"K\n"), (b"KEYUPDATE", ask("/b")), (b"/b 0", b"K\n")):
            wait_for(lambda awaited=awaited: awaited in said)
            c.stdin.write(text)
            c.stdin.flush()
        wait_for(lambda: said.count(b"KEYUPDATE") == 2)
        c.stdin.close()
        c.wait(10)
    assert [e["how"] for e in ends(s)] == [0, 0] and len(s.events("unit_begin")) == 2


# ---- as a client ----

CLIENTS = {
    "requests": """
        import requests, sys
        with requests.Session() as s:
            s.verify, s.trust_env = sys.argv[2], False
            for path in sys.argv[3:]:
                try: s.get("https://127.0.0.1:%s%s" % (sys.argv[1], path), timeout=0.6)
                except requests.RequestException as e: print(type(e).__name__)
    """,
    "httpx": """
        import asyncio, httpx, ssl, sys
        async def main():
            async with httpx.AsyncClient(verify=ssl.create_default_context(cafile=sys.argv[2]), timeout=0.6) as s:
                for path in sys.argv[3:]:
                    try: await s.get("https://127.0.0.1:%s%s" % (sys.argv[1], path))
                    except httpx.HTTPError as e: print(type(e).__name__)
        asyncio.run(main())
    """,
    "aiohttp": """
        import aiohttp, asyncio, ssl, sys
        async def main():
            trusts = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=sys.argv[2]))
            async with aiohttp.ClientSession(connector=trusts, timeout=aiohttp.ClientTimeout(0.6)) as s:
                for path in sys.argv[3:]:
                    try:
                        async with s.get("https://127.0.0.1:%s%s" % (sys.argv[1], path)) as r: await r.read()
                    except (aiohttp.ClientError, asyncio.TimeoutError) as e: print(type(e).__name__)
        asyncio.run(main())
    """,
}


@pytest.fixture
def upstream(certificate):
    """The port of a TLS server outside the library: /slow after 0.3 s, /never not at all, the rest at once."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    def serve(connection):
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as s:
            while request := s.recv(65536):
                if b"/never" in request:
                    s.recv(1)
                    return
                time.sleep(0.3 if b"/slow" in request else 0)
                s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with servers.listener(serve) as port:
        yield port


def exchanges(done, port):
    """[(ns to the answer or None, new connection?)] of the requests to this peer, in order."""
    events = done.events()
    answers = {(e["conn"], e["exchange"]): e["latency_ns"] for e in events
               if e["event"] == "response" and not e["eof"] and not e["err"]}
    return [(answers.get((e["conn"], e["exchange"])), e["exchange"] == 1) for e in events
            if e["event"] == "request"]


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_and_its_answers(guest, certificate, upstream, client):
    """Neither the handshake nor the tickets that come behind it are an answer."""
    if not has_module(client):
        pytest.skip("python3-%s is not installed" % client)
    done = guest.code(CLIENTS[client], upstream, certificate[0], "/slow", "/a", "/slow", "/never", "/slow")
    assert done.status == 0 and len(done.stdout.split()) == 1, done.stdout + done.stderr
    seen = exchanges(done, upstream)
    assert [new for _, new in seen] == [True, False, False, False, True], seen
    assert [t is not None for t, _ in seen] == [True, True, True, False, True], seen
    assert [t >= SLOW for t, _ in seen if t] == [True, False, True, True], seen
    (never,) = [e for e in done.events() if (e["event"] == "close" and e["pending"]) or
                (e["event"] == "response" and e["eof"])]
    assert never["conn"] == done.events("request")[0]["conn"], "what is never answered is pending to the end"


def test_a_handshake_that_hangs_is_waited_for(guest):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = guest.code("""
            import socket, ssl, sys
            s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 0.2)
            try: ssl.create_default_context().wrap_socket(s, server_hostname="x")
            except TimeoutError as e: print(e)
        """, listener.getsockname()[1])
    assert done.status == 0 and not done.events("request")
    assert any(e["pending"] and e["timeout_ns"] == 200000000 for e in done.events("wait"))
    assert any(e["ready"] == 0 for e in done.events("waited"))
