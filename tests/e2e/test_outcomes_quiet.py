# SPDX-License-Identifier: Apache-2.0
"""Failures without an errno: a wait that the program's own limit ends, a read or write that is short, and a
peer that really leaves. Each is linked to the exception that it became."""

import pytest

from pythons import every_python, minor, need_python, steps

PEER = """
import http.client, select, socket, struct, sys, threading, time

def serve(listener, answer):
    while True:
        peer, _ = listener.accept()
        peer.recv(1000)
        peer.sendall(answer)
        if "{close}":
            peer.close()

def begin(answer):
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve, args=(listener, answer), daemon=True).start()
    return listener.getsockname()[1]

class Broken(Exception):
    pass

"""

HANG = """
    [fault hang]
    call = {}
    side = client
    {}
"""
TIMEOUT = ("TimeoutError", "socket.timeout")

READ = """
port = begin(b"hello")
def ask():
    s = socket.create_connection(("127.0.0.1", port), timeout=5)
    s.sendall(b"hi")
    s.settimeout(0.2)
    try:
        return s.recv(100)
    except socket.timeout:
        return "timeout"
print(ask())
"""

CONNECT = """
port = begin(b"hello")
def ask():
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.2)
    except socket.timeout:
        return "timeout"
print(ask())
"""

SELECT = """
port = begin(b"hello")
def wait(s):
    if not select.select([s], [], [], 0.2)[0]:
        raise Broken("no answer")
def ask():
    s = socket.create_connection(("127.0.0.1", port))
    s.sendall(b"hi")
    try:
        wait(s)
    except Broken:
        return "timeout"
print(ask())
"""

OPTION = """
port = begin(b"hello")
def ask():
    s = socket.create_connection(("127.0.0.1", port))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 200000))
    s.sendall(b"hi")
    try:
        return s.recv(100)
    except BlockingIOError:
        return "timeout"
print(ask())
"""

HTTP = """
port = begin(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
import urllib.request
def ask():
    try:
        return urllib.request.urlopen("http://127.0.0.1:%d/" % port, timeout=0.2).read()
    except OSError:
        return "timeout"
print(ask())
"""


def _run(guest, python, code, config, close=""):
    result = guest.code(PEER.format(close=close) + code, python=need_python(python), config=config)
    assert result.status == 0, result.stderr
    return result.stdout.strip(), result


def _of(result, op):
    return [(s[0], s[1], s[2].split(".")[-1]) for s in steps(result.events(), op["op"])]


@pytest.mark.parametrize("code, call, effect, born", [
    (READ, "recv", "hang = yes", TIMEOUT), (READ, "recv", "delay = 5s", TIMEOUT), (READ, "recv", "blackhole = yes", TIMEOUT),
    (CONNECT, "connect", "hang = yes", TIMEOUT), (SELECT, "recv", "hang = yes", ("__main__.Broken",)),
    (OPTION, "recv", "hang = yes", ("BlockingIOError",)), (HTTP, "recv", "hang = yes", TIMEOUT),
], ids=["recv", "late", "hole", "connect", "select", "SO_RCVTIMEO", "urllib"])
@every_python
def test_a_hang_that_the_program_ends(guest, python, code, call, effect, born):
    printed, result = _run(guest, python, code, HANG.format(call, effect))
    assert printed == "timeout"
    found = [_of(result, op) for op in result.faults()]
    found = [f for f in found if f]
    assert found and found[-1][0][0] == "born" and found[-1][0][1] in born, found
    assert found[-1][-1][0] == "handled" and found[-1][-1][2] == "ask"


LATE = """
port = begin(b"hello")
def ask():
    s = socket.create_connection(("127.0.0.1", port), timeout=5)
    s.sendall(b"hi")
    got = s.recv(100)
    int("5")
    return got.decode()
try:
    print(ask())
    raise Broken("for a reason of its own")
except Broken:
    pass
"""


@every_python
def test_a_delay_that_ends_in_time(guest, python):
    printed, result = _run(guest, python, LATE, HANG.format("recv", "delay = 100ms"))
    assert printed == "hello"
    assert [_of(result, op) for op in result.faults()] == [[]]


SHORT = """
port = begin(b"hello, world")
def read(s, n):
    data = s.recv(n)
    if len(data) < n:
        raise Broken("%d of %d" % (len(data), n))
def ask():
    s = socket.create_connection(("127.0.0.1", port))
    s.sendall(b"hi")
    try:
        return read(s, 12)
    except Broken:
        return "broken"
print(ask())
"""

SHORT_SEND = """
port = begin(b"hello, world")
def send(s, data):
    if s.send(data) < len(data):
        raise Broken("not sent")
def ask():
    s = socket.create_connection(("127.0.0.1", port))
    try:
        send(s, b"hello, world")
    except Broken:
        return "broken"
print(ask())
"""

SHORT_FILE = """
import os, tempfile
def save(fd, data):
    if os.write(fd, data) < len(data):
        raise Broken("not written")
def ask():
    fd = os.open(tempfile.mkdtemp() + "/data", os.O_WRONLY | os.O_CREAT)
    try:
        save(fd, b"hello, world")
    except Broken:
        return "broken"
print(ask())
"""


@pytest.mark.parametrize("code, call, function", [
    (SHORT, "recv\n    side = client", "read"), (SHORT_SEND, "send\n    side = client", "send"),
    (SHORT_FILE, "write\n    path = */data", "save")], ids=["recv", "send", "write"])
@every_python
def test_a_short_transfer(guest, python, code, call, function):
    printed, result = _run(guest, python, code, "[fault short]\ncall = %s\nshort = 4\n" % call.replace("    ", ""))
    assert printed == "broken"
    found = [f for f in (_of(result, op) for op in result.faults()) if f]
    assert found == [[("born", "__main__.Broken", function), ("handled", "__main__.Broken", "ask")]]


WHOLE = """
port = begin(b"hello, world")
def ask():
    s = socket.create_connection(("127.0.0.1", port))
    s.sendall(b"hi")
    data = b""
    while len(data) < 12:
        data += s.recv(12 - len(data))
    return data.decode()
print(ask())
raise_later = {}
try:
    raise_later["missing"]
except KeyError:
    pass
"""


@every_python
def test_a_short_read_that_is_completed(guest, python):
    printed, result = _run(guest, python, WHOLE, "[fault short]\ncall = recv\nside = client\nshort = 4\n")
    assert printed == "hello, world"
    assert {tuple(_of(result, op)) for op in result.faults()} <= {(), (("unseen", "", ""),)}


LEAVES = """
port = begin({answer!r})
def ask():
    c = http.client.HTTPConnection("127.0.0.1", port)
    try:
        c.request("GET", "/")
        return c.getresponse().read().decode()
    except http.client.HTTPException as e:
        return type(e).__name__
print(ask())
"""


@pytest.mark.parametrize("answer, kind", [
    (b"", "RemoteDisconnected"), (b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\nx", "IncompleteRead"),
], ids=["no answer", "half an answer"])
@every_python
def test_a_peer_that_really_leaves(guest, python, answer, kind):
    printed, result = _run(guest, python, LEAVES.format(answer=answer), None, close="yes")
    assert printed == kind
    (op,) = [e for e in result.events("op") if not e["err"]]
    assert not op["fault"] and not op["effect"] and op["result"] == 0
    found = _of(result, op)
    assert found[0][:2] == ("born", "http.client." + kind)
    assert found[-1] == ("handled", "http.client." + kind, "ask")


@pytest.mark.parametrize("answer", [
    b"HTTP/1.0 200 OK\r\n\r\nwhole", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole"],
    ids=["to the end", "of its length"])
def test_a_peer_that_leaves_in_time(guest, answer):
    code = LEAVES.format(answer=answer) + "c = socket.create_connection((\"127.0.0.1\", port))\n" \
        "c.sendall(b\"GET / HTTP/1.0\\r\\n\\r\\n\")\nwhile c.recv(100): pass\n"
    printed, result = _run(guest, "distribution", code, None, close="yes")
    assert printed == "whole"
    assert [e for e in result.events("op") if not e["err"]] == []


STREAMS = PEER.format(close="{close}") + """
import asyncio

async def read(reader):
    return await reader.{read}

async def ask(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"hi")
    try:
        return await {wait}
    except {caught} as e:
        return type(e).__name__

async def other():
    while True:
        await asyncio.sleep(0.01)
        try:
            raise Broken("for a reason of its own")
        except Broken:
            pass

async def main():
    busy = asyncio.ensure_future(other())
    print(await ask(begin({answer!r})))
    busy.cancel()

asyncio.run(main())
"""


def _streams(guest, python, config, close="", answer=b"hello", **how):
    code = STREAMS.replace("{close}", close).replace("{answer!r}", repr(answer))
    for key, value in how.items():
        code = code.replace("{%s}" % key, value)
    result = guest.code(code, python=need_python(python), config=config)
    assert result.status == 0, result.stderr
    return result.stdout.strip(), result


@pytest.mark.parametrize("injected", [True, False], ids=["injected", "real"])
@every_python
def test_input_of_a_task_that_ends_early(guest, python, injected):
    config = "[fault eof]\ncall = recv\nside = client\neof = after 2 bytes\n" if injected else None
    printed, result = _streams(guest, python, config, "" if injected else "yes", b"hello" if injected else b"",
                               read="readexactly(5)", wait="read(reader)", caught="asyncio.IncompleteReadError")
    assert printed == "IncompleteReadError"
    (op,) = [e for e in result.events("op") if bool(e["fault"]) == injected and not e["err"]]
    kind = "asyncio.exceptions.IncompleteReadError"
    assert _of(result, op) == [("born", kind, "readexactly"), ("handled", kind, "ask")]


@every_python
def test_a_task_that_loses_patience(guest, python):
    printed, result = _streams(guest, python, HANG.format("recv", "hang = yes"), read="readexactly(5)",
                               wait="asyncio.wait_for(read(reader), 0.3)", caught="asyncio.TimeoutError")
    assert printed == "TimeoutError"
    (op,) = result.faults()
    found = _of(result, op)
    if minor(need_python(python)) == 8:  # says nothing of who awaits a coroutine that is cancelled
        return
    assert found[0][0] == "born" and found[0][1].endswith(("CancelledError", "TimeoutError")), found
    assert found[-2][0] in ("born", "replaced") and found[-2][1].endswith("TimeoutError"), found
    assert found[-1][0] == "handled" and found[-1][2] == "ask", found


@every_python
def test_a_task_that_is_only_late(guest, python):
    printed, result = _streams(guest, python, HANG.format("recv", "delay = 200ms"), read="readexactly(5)",
                               wait="asyncio.wait_for(read(reader), 10)", caught="asyncio.TimeoutError")
    assert printed == "b'hello'"
    assert [_of(result, op) for op in result.faults()] == [[]]


LOST = """
import asyncio, socket, struct

class Client(asyncio.Protocol):
    def __init__(self, loop):
        self.done = loop.create_future()
    def data_received(self, data):
        pass
    def connection_lost(self, exc):
        self.done.set_exception(exc or EOFError("closed"))

async def ask(port):
    loop = asyncio.get_running_loop()
    transport, client = await loop.create_connection(lambda: Client(loop), "127.0.0.1", port)
    transport.write(b"hi")
    try:
        await client.done
    except (OSError, EOFError) as e:
        return type(e).__name__

async def serve(reader, writer):
    await reader.read(2)
    if {reset}:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.close()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(await ask(server.sockets[0].getsockname()[1]))

asyncio.run(main())
"""


@pytest.mark.parametrize("reset, kind", [(True, "ConnectionResetError"), (False, "EOFError")])
@every_python
def test_a_protocol_that_loses_its_connection(guest, python, reset, kind):
    result = guest.code(LOST.format(reset=reset), python=need_python(python))
    assert result.status == 0, result.stderr
    assert result.stdout.strip() == kind
    found = [_of(result, op) for op in result.events("op") if op["side"] == 1]
    assert len(found) == 1
    if minor(need_python(python)) == 8 and not reset:  # as above
        return
    assert found[0][0][:2] == ("born", kind)
    assert found[0][-1] == ("handled", kind, "ask")
