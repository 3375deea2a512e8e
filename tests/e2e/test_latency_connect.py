# SPDX-License-Identifier: Apache-2.0
"""Late connects, accepts and sends: a blocking call takes the time, a loop goes on."""

import pytest

from guest import LATE, PRELUDE, PYTHON, between, has_module, timed

CONNECT = """
[run]
processes = *
[fault late]
call = connect
peer = 127.0.0.1:%d
delay = 500ms
"""
ACCEPT = """
[run]
processes = *
[fault late]
call = accept
delay = 500ms
"""
SEND = """
[run]
processes = *
[fault late]
call = send
peer = 127.0.0.1:%d
delay = 500ms
"""


def run(guest, config, code, port, *args):
    import textwrap

    r = guest.command([PYTHON, "-c", PRELUDE + textwrap.dedent(code), str(port), "0", *map(str, args)],
                      config=config % port if "%d" in config else config, timeout=30)
    figures = r.json()
    assert r.faults(), "no fault was recorded"
    return figures


@timed
def test_a_blocking_connect_takes_the_time(guest, peer):
    r = run(guest, CONNECT, """
        t = now(); s = connect(); at = now() - t
        s.sendall(b"echo hi\\n")
        got = s.recv(100).decode()
        reply(at=at, got=got, whole=now() - t)
    """, peer.plain)
    between(r["at"], 0.5, 0.5 + LATE, "connect")
    between(r["whole"], 0.5, 0.6 + LATE, "connect and one exchange")
    assert r["got"] == "hi\n"


@timed
def test_a_refused_connect_is_refused_late(guest, peer):
    r = run(guest, CONNECT, """
        s = socket.socket(); t = now()
        err = s.connect_ex(("127.0.0.1", port))
        reply(at=now() - t, err=err)
    """, peer.closed)
    assert r["err"] == 111
    between(r["at"], 0.5, 0.5 + LATE, "refusal")


@timed
def test_limits_of_connect_fire_in_time(guest, peer):
    r = run(guest, CONNECT, """
        s = socket.socket(); s.settimeout(0.2); t = now()
        try:
            s.connect(("127.0.0.1", port)); a = None
        except socket.timeout:
            a = now() - t
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, 200000))
        t = now()
        err = s.connect_ex(("127.0.0.1", port)); b = now() - t
        reply(a=a, b=b, err=err)
    """, peer.plain)
    between(r["a"], 0.2, 0.45, "settimeout")
    between(r["b"], 0.2, 0.45, "SO_SNDTIMEO")
    assert r["err"] == 115  # connect(2): EINPROGRESS when SO_SNDTIMEO ends it


@pytest.mark.parametrize("where, error", [("plain", 0), ("closed", 111)])
@timed
def test_a_non_blocking_connect_ends_at_the_deadline(guest, peer, where, error):
    r = run(guest, CONNECT, """
        s = socket.socket(); s.setblocking(False); t = now()
        first = s.connect_ex(("127.0.0.1", port)); took = now() - t
        again = s.connect_ex(("127.0.0.1", port))
        p = select.poll(); p.register(s, select.POLLIN | select.POLLOUT)
        early = p.poll(100)
        selected = [len(x) for x in select.select([s], [s], [], 0.1)]
        try:
            s.send(b"x"); sent = True
        except BlockingIOError:
            sent = False
        before = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        mask = p.poll(10000)[0][1]; at = now() - t
        errors = [s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) for _ in range(2)]
        after = s.connect_ex(("127.0.0.1", port)) if not errors[0] else None
        reply(first=first, took=took, again=again, early=early, selected=selected, sent=sent,
              before=before, mask=mask, at=at, errors=errors, after=after)
    """, getattr(peer, where))
    assert r["first"] == 115 and r["took"] < 0.2
    assert r["again"] == 114  # EALREADY
    assert r["early"] == [] and r["selected"] == [0, 0, 0] and not r["sent"] and r["before"] == 0, r
    between(r["at"], 0.5, 0.5 + LATE, "end of connect")
    assert r["errors"] == [error, 0]
    assert r["mask"] & 4 and bool(r["mask"] & 8) == bool(error), r
    assert r["after"] in (None, 0, 106)


LOOP = """
import asyncio
async def main():
    ticks, t = [], now()
    async def tick():
        while True:
            a = now(); await asyncio.sleep(0.01); ticks.append(now() - a)
    ticker = asyncio.ensure_future(tick())
    r = {}
    try:
        await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 0.2)
    except asyncio.TimeoutError:
        r["limit"] = now() - t
    t = now()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        r["at"] = now() - t
        writer.write(b"echo hi\\n")
        r["got"] = (await reader.readline()).decode()
    except ConnectionRefusedError:
        r["at"], r["got"] = now() - t, "refused"
    reply(worst=max(ticks + [0]), **r)
if sys.argv[3] == "uvloop":
    import uvloop
    uvloop.install()
asyncio.run(main())
"""


@pytest.mark.parametrize("where, got", [("plain", "hi\n"), ("closed", "refused")])
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@timed
def test_a_loop_goes_on_during_a_late_connect(guest, peer, loop, where, got):
    if loop == "uvloop" and not has_module("uvloop"):
        pytest.skip("uvloop is not installed")
    r = run(guest, CONNECT, LOOP, getattr(peer, where), loop)
    assert r["got"] == got
    between(r["limit"], 0.2, 0.45, "limit")
    between(r["at"], 0.5, 0.5 + LATE, "connect")
    assert r["worst"] < 0.3, "the loop stood still"


SERVER = """
server = socket.socket(); server.bind(("127.0.0.1", 0)); server.listen(16)
where = server.getsockname()
def client():
    s = socket.socket(); s.connect(where); return s
"""


@timed
def test_a_blocking_accept_is_late(guest, peer):
    r = run(guest, ACCEPT, SERVER + """
t = now()
c = client(); connected = now() - t
s, who = server.accept(); at = now() - t
same = who == c.getsockname()
c.sendall(b"hi"); got = s.recv(10).decode()
u = now(); d = client()
server.settimeout(0.2)
try:
    server.accept(); limit = None
except socket.timeout:
    limit = now() - u
server.settimeout(10)
s, who = server.accept(); at2 = now() - u
reply(connected=connected, at=at, same=same, got=got, limit=limit, at2=at2)
""", peer.plain)
    assert r["connected"] < 0.3 and r["same"] and r["got"] == "hi"
    between(r["at"], 0.5, 0.5 + LATE, "accept")
    between(r["limit"], 0.2, 0.45, "limit")
    between(r["at2"], 0.5, 0.5 + LATE, "second accept")


@timed
def test_a_non_blocking_accept_is_late(guest, peer):
    r = run(guest, ACCEPT, SERVER + """
server.setblocking(False)
e = select.epoll(); e.register(server, select.EPOLLIN)
t = now()
c = client()
early = len(e.poll(0.1))
try:
    server.accept(); blocked = False
except BlockingIOError:
    blocked = True
ready = len(e.poll(10)); at = now() - t
s, _ = server.accept()
reply(early=early, blocked=blocked, ready=ready, at=at)
""", peer.plain)
    assert r["early"] == 0 and r["blocked"] and r["ready"] == 1
    between(r["at"], 0.5, 0.5 + LATE, "listening socket readable")


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@timed
def test_a_server_loop_goes_on_during_a_late_accept(guest, peer, loop):
    if loop == "uvloop" and not has_module("uvloop"):
        pytest.skip("uvloop is not installed")
    r = run(guest, ACCEPT, """
import asyncio
async def main():
    ticks = []
    async def tick():
        while True:
            a = now(); await asyncio.sleep(0.01); ticks.append(now() - a)
    ticker = asyncio.ensure_future(tick())
    async def serve(reader, writer):
        writer.write(await reader.readline()); await writer.drain(); writer.close()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    where = server.sockets[0].getsockname()
    async def ask():
        t = now()
        reader, writer = await asyncio.open_connection(*where)
        writer.write(b"hi\\n")
        assert await reader.readline() == b"hi\\n"
        return now() - t
    times = await asyncio.gather(*[ask() for _ in range(3)])
    reply(times=times, worst=max(ticks + [0]))
if sys.argv[3] == "uvloop":
    import uvloop
    uvloop.install()
asyncio.run(main())
""", peer.plain, loop)
    for t in r["times"]:
        between(t, 0.5, 1.5 + LATE, "first answer")
    assert r["worst"] < 0.3, "the loop stood still"


@pytest.mark.parametrize("way", ["epoll", "poll"])
@timed
def test_a_connect_that_hangs_costs_nothing(guest, peer, way):
    r = run(guest, "[run]\nprocesses = *\n[fault f]\ncall = connect\nhang = yes\n", """
        s = socket.socket(); s.setblocking(False); s.connect_ex(("127.0.0.1", port))
        p = getattr(select, sys.argv[3])(); p.register(s, select.POLLOUT)
        before, t = busy(), now(); got = p.poll(%s); after = busy()
        reply(got=got, at=now() - t, cpu=after[0] - before[0], waits=after[1] - before[1])
    """ % {"epoll": "1.0", "poll": "1000"}[way], peer.plain, way)
    assert r["got"] == []
    between(r["at"], 1.0, 1.0 + LATE, "limit of the wait")
    assert r["cpu"] < 0.2 and r["waits"] < 200


@timed
def test_a_blocking_send_is_late(guest, peer):
    r = run(guest, SEND, """
        s = connect(); t = now()
        s.sendall(b"echo hi\\n")
        got = s.recv(100).decode()
        reply(at=now() - t, got=got)
    """, peer.plain)
    assert r["got"] == "hi\n"
    between(r["at"], 0.5, 0.5 + LATE, "answer to a late request")


@timed
def test_a_non_blocking_send_is_late(guest, peer):
    """Whatever send() answers, the peer gets the bytes late, whole and in order."""
    r = run(guest, SEND, """
        s = connect(); s.setblocking(False); t = now()
        data, took = b"echo " + b"x" * 20000 + b"\\n", []
        p = select.poll(); p.register(s, select.POLLOUT)
        before = busy()
        while data:
            a = now()
            try:
                data = data[s.send(data):]
            except BlockingIOError:
                p.poll(10000)
                continue
            finally:
                took.append(now() - a)
        p.register(s, select.POLLIN)
        got = b""
        while not got.endswith(b"\\n"):
            p.poll(10000)
            try:
                got += s.recv(65536)
            except BlockingIOError:
                pass
        after = busy()
        reply(at=now() - t, got=got == b"x" * 20000 + b"\\n", cpu=after[0] - before[0])
    """, peer.plain)
    assert r["got"]
    between(r["at"], 0.5, 1.5 + LATE, "answer to a late request")
    assert r["cpu"] < 0.2


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@timed
def test_a_loop_goes_on_during_a_late_send(guest, peer, loop):
    if loop == "uvloop" and not has_module("uvloop"):
        pytest.skip("uvloop is not installed")
    r = run(guest, SEND, """
import asyncio
async def main():
    ticks = []
    async def tick():
        while True:
            a = now(); await asyncio.sleep(0.01); ticks.append(now() - a)
    ticker = asyncio.ensure_future(tick())
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    t = now()
    writer.write(b"echo one\\n"); writer.write(b"echo two\\n")
    await writer.drain()
    got = [(await reader.readline()).decode() for _ in range(2)]
    reply(at=now() - t, got=got, worst=max(ticks + [0]))
if sys.argv[3] == "uvloop":
    import uvloop
    uvloop.install()
asyncio.run(main())
""", peer.plain, loop)
    assert r["got"] == ["one\n", "two\n"]
    between(r["at"], 0.5, 1.5 + LATE, "answer to a late request")
    assert r["worst"] < 0.3, "the loop stood still"
