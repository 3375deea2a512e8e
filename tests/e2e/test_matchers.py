# SPDX-License-Identifier: Apache-2.0
"""Where in the program: `stack`, `caller` and `operation`, each with calls that it means and calls that it
does not."""

import http.client
import json
import os
import socket
import ssl
import subprocess
import textwrap
import time

import pytest

from guest import BUILD, PYTHON, has_module, need
from test_effects import ALL, run

import mhr
import pythons

MISHAP = os.path.join(BUILD, "tools", "mishap")
RESET = "call = recv\nside = client\nerror = ECONNRESET\n"
NO_PLACES = mhr.NOTE["no_places"]

SHOP = {
    "shop/__init__.py": "",
    "shop/store.py": """
        import socket, sys
        def fetch():
            with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5) as s:
                s.sendall(b"echo hello\\n")
                try: return s.recv(100).decode()
                except OSError as e: return type(e).__name__
        class Store:
            def get(self): return fetch()
        """,
    "shop/orders.py": """
        from shop import store
        class Orders:
            def place(self): return store.fetch()
            def look(self): return [store.Store().get() for _ in "1"][0]
        def other(): return store.fetch()
        """,
    "main.py": """
        import json
        from shop import orders
        o = orders.Orders()
        print(json.dumps([o.place(), o.look(), orders.other()]))
        """,
}


@pytest.fixture
def shop(tmp_path):
    for name, text in SHOP.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text))
    return str(tmp_path / "main.py")


# Pattern, and which of place(), look() and other() it means.
STACKS = [
    ("shop.orders.*", "111"),
    ("shop.orders.Orders.*", "110"),
    ("shop.orders.Orders.place", "100"),
    ("Orders.place", "100"),
    ("look", "010"),
    ("shop.orders.* shop.store.fetch", "101"),
    ("shop.orders.* ** shop.store.fetch", "111"),
    ("shop.orders.* ** Store.get ** fetch", "010"),
    ("shop.store.fetch ** shop.orders.*", "000"),
    ("orders.place", "000"),
    ("hop.orders.*", "000"),
    ("main.<module> ** shop.orders.other", "001"),
    ("Orders.place, shop.orders.other", "101"),
]


@pytest.mark.parametrize("pattern, means", STACKS)
def test_stacks(guest, peer, shop, pattern, means):
    r = guest.command([PYTHON, shop, str(peer.plain)],
                      ALL + RESET + "peer = :%d\nstack = %s\n" % (peer.plain, pattern))
    assert [a == "ConnectionResetError" for a in r.json()] == [c == "1" for c in means]
    assert len(r.faults()) == means.count("1")


@pythons.every_python
def test_stacks_of_every_python(guest, peer, shop, python):
    r = guest.command([pythons.need_python(python), shop, str(peer.plain)],
                      ALL + RESET + "peer = :%d\nstack = Orders.* ** store.fetch\n" % peer.plain)
    assert [a == "ConnectionResetError" for a in r.json()] == [True, True, False]


def test_counts_are_of_what_matches(guest, peer, shop):
    r = guest.command([PYTHON, shop, str(peer.plain)],
                      ALL + RESET + "peer = :%d\nstack = fetch\nskip = 1\ncount = 1\n" % peer.plain)
    assert [a == "ConnectionResetError" for a in r.json()] == [False, True, False]


def test_asyncio_answers_belong_to_who_asked(guest, peer):
    """The loop reads for everybody: what it reads belongs to the stack that sent the request."""
    r = run(guest, """
        import asyncio
        async def ask(w, r):
            w.write(b"echo x\\n"); await w.drain()
            try: return (await r.read(10)).decode()
            except OSError as e: return type(e).__name__
        async def marked(w, r): return await ask(w, r)
        async def plain(w, r): return await ask(w, r)
        async def main():
            told = []
            for f in (marked, plain, marked):
                r, w = await asyncio.open_connection("127.0.0.1", port)
                told.append(await asyncio.create_task(f(w, r)))
            reply(told=told)
        asyncio.run(main())
    """, ALL + RESET + "peer = :%d\nstack = marked ** ask\n" % peer.plain, peer.plain)
    assert [t == "ConnectionResetError" for t in r.json()["told"]] == [True, False, True]


def test_stack_of_a_file_call_and_an_allocation(guest, tmp_path):
    r = run(guest, """
        def marked(): return open(%r, "w").write("x")
        def plain(): return open(%r, "w").write("x")
        def told(f):
            try: f(); return ""
            except OSError as e: return e.errno
        reply(plain=told(plain), marked=told(marked))
    """ % (str(tmp_path / "a"), str(tmp_path / "b")),
            ALL + "call = open\npath = %s/**\nstack = marked\nerror = EACCES\n" % tmp_path)
    assert r.json() == {"plain": "", "marked": 13}
    r = run(guest, """
        def marked(): return bytearray(1 << 24)
        def plain(): return bytearray(1 << 24)
        def told(f):
            try: f(); return ""
            except MemoryError: return "MemoryError"
        reply(plain=told(plain), marked=told(marked))
    """, ALL + "call = memory\nstack = marked\nerror = ENOMEM\n")
    assert r.json() == {"plain": "", "marked": "MemoryError"}


NO_PYTHON = """
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>
int main(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = 9 << 8, .sin_addr = {htonl(0x7f000001)}};
    return connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&to, sizeof(to)) == 0;
}
"""


def test_without_stacks_it_says_so(guest, tmp_path):
    """No interpreter, no stacks: nothing fires, the recording and doctor tell why."""
    source, program = tmp_path / "program.c", str(tmp_path / "program")
    source.write_text(NO_PYTHON)
    subprocess.run([need("cc"), "-o", program, str(source)], check=True)
    scenario = guest.config("[run]\nprocesses = *\n[fault x]\ncall = connect\nstack = main.*\n"
                            "error = ECONNREFUSED\n")
    r = guest.command([program], scenario)
    assert not r.faults()
    notes = [e["tail"] for e in r.events("note") if e["code"] == NO_PLACES]
    assert len(notes) == 1 and "'stack' cannot fire" in notes[0]
    assert any("'stack' cannot fire" in line for line in r.said)
    told = subprocess.run([MISHAP, "doctor", "--json", "-c", scenario, "--", program], text=True,
                          stdout=subprocess.PIPE, check=False, timeout=60)
    row = json.loads(told.stdout)[0]
    assert told.returncode == 1 and row["here"] == "cannot fire" and "is no Python" in row["why"]


CALLER = """
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <poll.h>
#include <unistd.h>
int ask(int port, const char *path);
int ask(int port, const char *path)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(0x7f000001)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0), bad = 0, file;
    struct addrinfo *list;
    char b[8];
    to.sin_port = htons(port);
    bad |= (fd < 0) << 0;
    bad |= (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) << 1;
    bad |= (send(fd, "echo x\\n", 7, 0) < 0) << 2;
    bad |= (recv(fd, b, sizeof(b), 0) < 0) << 3;
    file = open(path, O_RDWR | O_CREAT, 0600);
    bad |= (file < 0) << 4;
    bad |= (write(file, "x", 1) < 0) << 5;
    bad |= (fsync(file) < 0) << 6;
    bad |= (unlink(path) < 0) << 7;
    bad |= (getaddrinfo("localhost", 0, 0, &list) != 0) << 8;
    return bad;
}
"""
CALLS = {"socket": ("EMFILE", 1), "connect": ("ECONNREFUSED", 2), "send": ("ECONNRESET", 4),
         "recv": ("ECONNRESET", 8), "open": ("EACCES", 16), "write": ("EIO", 32), "fsync": ("EIO", 64),
         "unlink": ("EACCES", 128), "getaddrinfo": ("EAI_AGAIN", 256)}


@pytest.fixture(scope="module")
def two_libraries(tmp_path_factory):
    """The same code twice, under two names; the first with a version."""
    d = tmp_path_factory.mktemp("callers")
    (d / "ask.c").write_text(CALLER)
    paths = [str(d / "libask.so.1.2"), str(d / "libother.so")]
    for path in paths:
        subprocess.run([need("cc"), "-O2", "-shared", "-fPIC", "-o", path, str(d / "ask.c")], check=True)
    return paths


@pytest.mark.parametrize("call", list(CALLS))
@pytest.mark.parametrize("pattern", ["libask*", "libask.so", "**/libask.so.*"])
def test_callers(guest, peer, two_libraries, tmp_path, call, pattern):
    if pattern != "libask.so" and call not in ("recv", "open"):
        pytest.skip("one pattern is enough for every call")
    error, bit = CALLS[call]
    r = run(guest, """
        import ctypes
        mine, other = (ctypes.CDLL(p) for p in %r)
        reply(mine=mine.ask(port, b"%s/a"), other=other.ask(port, b"%s/b"))
    """ % (two_libraries, tmp_path, tmp_path),
            ALL + "call = %s\ncaller = %s\nerror = %s\n" % (call, pattern, error), peer.plain)
    told = r.json()
    assert told["other"] == 0 and told["mine"] & bit, told
    assert len(r.faults()) == 1


def test_caller_is_the_interpreter(guest, peer):
    """Python's own sockets are called by its executable, or by its module."""
    r = run(guest, """
        s = socket.create_connection(("127.0.0.1", port)); s.sendall(b"echo x\\n")
        try: told = s.recv(5).decode()
        except OSError as e: told = type(e).__name__
        reply(told=told)
    """, ALL + RESET + "peer = :%d\ncaller = _socket* python* libpython*\n" % peer.plain, peer.plain)
    assert r.json() == {"told": "ConnectionResetError"}


ASGI = """
import asyncio, socket, sys
PORT = int(sys.argv[2])
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    await asyncio.sleep(0.01)
    try:
        r, w = await asyncio.open_connection("127.0.0.1", PORT)
        w.write(b"echo x\\n"); await w.drain()
        body = await asyncio.wait_for(r.read(9), 5)
        w.close()
    except OSError as e:
        body = type(e).__name__.encode()
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})
async def background():
    while True:
        await asyncio.sleep(0.05)
        try:
            r, w = await asyncio.open_connection("127.0.0.1", PORT)
            w.write(b"echo x\\n"); await w.drain(); await r.read(9); w.close()
        except OSError as e:
            print("BACKGROUND", type(e).__name__, file=sys.stderr, flush=True)
async def main():
    import uvicorn
    asyncio.create_task(background())
    await uvicorn.Server(uvicorn.Config(app, port=int(sys.argv[1]), log_level="error",
                                        lifespan="off")).serve()
asyncio.run(main())
"""
WSGI = """
import socket, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
PORT = int(sys.argv[2])
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        try:
            with socket.create_connection(("127.0.0.1", PORT), 5) as s:
                s.sendall(b"echo x\\n"); body = s.recv(9)
        except OSError as e:
            body = type(e).__name__.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_POST = do_GET
    def log_message(self, *a): pass
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.mark.parametrize("key, hit", [("operation = * /orders/**", False), ("operation = *", False),
                                      ("stack = *.Handler.do_GET", True)])
def test_behind_tls_the_stack_stands_for_the_route(guest, peer, certificate, tmp_path, key, hit):
    port, path, context = free_port(), tmp_path / "server.py", ssl.create_default_context(cafile=certificate[0])
    path.write_text(WSGI.replace("ThreadingHTTPServer((", "server = ThreadingHTTPServer((").replace(
        ".serve_forever()", """
import ssl
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH); context.load_cert_chain(*sys.argv[3:])
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""))
    p, out = guest.start([PYTHON, str(path), str(port), str(peer.plain), *certificate],
                         config=ALL + RESET + "peer = :%d\n%s\n" % (peer.plain, key))
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        told = [get(http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context), "GET", "/orders/7")
                for _ in range(3)]
    finally:
        p.terminate()
        p.wait(10)
    assert told == (["ConnectionResetError"] if hit else ["x\n"]) * 3
    assert len([e for e in mhr.read_dir(out) if e["event"] == "op" and e["fault"]]) == (3 if hit else 0)
    assert [e["spoken"] for e in mhr.read_dir(out) if e["event"] == "unit_begin"] == [mhr.SPOKEN["tls"]] * 3


@pytest.fixture(params=["asgi", "threads"])
def server(request, guest, peer, tmp_path):
    """start(operations): a port, under a fault on its calls to the peer during these."""
    if request.param == "asgi" and not has_module("uvicorn"):
        pytest.skip("uvicorn is not here")
    started = []

    def start(operations):
        port = free_port()
        path = tmp_path / "server.py"
        path.write_text(ASGI if request.param == "asgi" else WSGI)
        env, out = guest.prepare(ALL + RESET + "peer = :%d\noperation = %s\n" % (peer.plain, operations))
        started.append(subprocess.Popen([PYTHON, str(path), str(port), str(peer.plain)], env=env,
                                        stderr=subprocess.PIPE, text=True))
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return port, out, started[-1]
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the server does not answer")

    yield start
    for p in started:
        p.terminate()
        p.wait(10)


def get(connection, method, path):
    connection.request(method, path)
    return connection.getresponse().read().decode()


@pytest.mark.parametrize("operations, hit", [
    ("GET /orders/*", "1000"), ("/orders/*", "1100"), ("* /orders/**", "1110"),
    ("POST /orders/*, GET /cart", "0101"), ("shop.tasks.*", "0000"),
])
def test_operations(server, operations, hit):
    port, out, process = server(operations)
    asked = [("GET", "/orders/7"), ("POST", "/orders/7"), ("GET", "/orders/7/items?x=/cart"), ("GET", "/cart")]
    kept = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    get(kept, "GET", "/first")  # an event loop's first answer teaches which tasks serve
    for again in range(3):
        for fresh in (False, True):
            told = []
            for method, path in asked:
                c = http.client.HTTPConnection("127.0.0.1", port, timeout=10) if fresh else kept
                told.append(get(c, method, path))
            assert [t == "ConnectionResetError" for t in told] == [h == "1" for h in hit], (again, fresh, told)
    process.terminate()
    assert "BACKGROUND" not in process.communicate(timeout=10)[1]
    assert len([e for e in mhr.read_dir(out) if e["event"] == "op" and e["fault"]]) == 6 * hit.count("1")

