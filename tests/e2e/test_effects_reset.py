# SPDX-License-Identifier: Apache-2.0
"""A reset that mishap makes and a reset that the peer makes: the program must not see a difference, and
the peer gets a real RST."""

import textwrap

import pytest

from guest import PRELUDE, PYTHON

RESET = "[run]\nprocesses = *\n[fault f]\ncall = %s\npeer = 127.0.0.1:%d\nreset = after %d bytes\n"

# Reads 64 bytes and what follows. `mode` is what the program does first once the connection is reset.
STORY = """
mode, blocking, real = sys.argv[3], sys.argv[4] == "blocking", sys.argv[5] == "real"
s = connect()
mine = s.getsockname()[1]
s.sendall(b"big 64\\nrst 150\\n" if real else b"big 128\\n")
got = b""
while len(got) < 64:
    got += s.recv(64 - len(got))
if real:
    time.sleep(0.5)  # the line before the reset and the reset itself have arrived
    s.recv(100)
s.setblocking(blocking)
def attempt(what):
    try:
        r = what()
        return r.decode() if isinstance(r, bytes) else r
    except OSError as e:
        return errno_name(e.errno)
def errno_name(n):
    import errno
    return errno.errorcode[n]
def polled():
    p = select.poll(); p.register(s, select.POLLIN | select.POLLOUT | select.POLLRDHUP)
    return sum(m for _, m in p.poll(2000))
def epolled():
    e = select.epoll(); e.register(s, select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP)
    return sum(m for _, m in e.poll(2))
steps = {
    "recv": lambda: s.recv(100), "send": lambda: s.send(b"x"), "poll": polled, "epoll": epolled,
    "error": lambda: s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR),
    "name": lambda: s.getpeername() and 1, "shutdown": lambda: s.shutdown(socket.SHUT_RDWR),
}
reply(story=[[name, attempt(steps[name])] for name in mode.split(",")], port=mine)
"""
ORDERS = [
    "recv,recv,send,send,poll,epoll,error,name,shutdown", "poll,recv,poll,recv,send",
    "epoll,error,error,recv,send,epoll", "error,recv,recv,send", "recv,name,shutdown,send,recv",
]


def tell(guest, peer, order, blocking, real):
    config = None if real else RESET % ("recv", peer.plain, 64)
    r = guest.command([PYTHON, "-c", PRELUDE + STORY, str(peer.plain), "0", order, blocking,
                       "real" if real else "injected"], under=not real, config=config)
    figures = r.json()
    return figures["story"], peer.end_of(figures["port"])


@pytest.mark.parametrize("blocking", ["blocking", "nonblocking"])
@pytest.mark.parametrize("order", ORDERS)
def test_a_reset_looks_like_a_real_one(guest, peer, order, blocking):
    real, _ = tell(guest, peer, order, blocking, True)
    injected, end = tell(guest, peer, order, blocking, False)
    assert injected == real
    assert end["end"] == "ECONNRESET", "the peer saw %s" % end


def test_a_reset_while_sending(guest, peer):
    r = guest.command([PYTHON, "-c", PRELUDE + textwrap.dedent("""
        s = connect(); mine = s.getsockname()[1]; sent, error = 0, 0
        try:
            for _ in range(100):
                sent += s.send(b"x" * 100)
        except OSError as e:
            error = e.errno
        try: s.send(b"x"); again = 0
        except OSError as e: again = e.errno
        reply(port=mine, sent=sent, error=error, again=again)
    """), str(peer.plain), "0"], config=RESET % ("send", peer.plain, 1000)).json()
    assert r["error"] in (104, 32) and r["again"] == 32 and r["sent"] <= 1000, r
    end = peer.end_of(r["port"])
    assert end["end"] == "ECONNRESET" and end["received"] <= 1000, end


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_reset_through_a_loop(guest, peer, loop):
    from guest import has_module

    if loop == "uvloop" and not has_module("uvloop"):
        pytest.skip("uvloop is not installed")
    r = guest.command([PYTHON, "-c", PRELUDE + textwrap.dedent("""
        import asyncio
        async def main():
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            mine = writer.get_extra_info("sockname")[1]
            writer.write(b"big 5000\\n")
            got = b""
            try:
                while True:
                    data = await asyncio.wait_for(reader.read(100), 5)
                    if not data:
                        error = "end"; break
                    got += data
            except OSError as e:
                error = type(e).__name__
            writer.close()
            try: await writer.wait_closed()
            except OSError: pass
            r2, w2 = await asyncio.open_connection("127.0.0.1", port)
            w2.write(b"echo new\\n")
            reply(port=mine, n=len(got), error=error, new=(await r2.readline()).decode())
        if sys.argv[3] == "uvloop":
            import uvloop
            uvloop.install()
        asyncio.run(main())
    """), str(peer.plain), "0", loop], config=RESET % ("recv", peer.plain, 500) + "count = 1\n").json()
    assert r["error"] == "ConnectionResetError" and r["n"] <= 500 and r["new"] == "new\n", r
    assert peer.end_of(r["port"])["end"] == "ECONNRESET"


def test_other_connections_live_on(guest, peer):
    r = guest.command([PYTHON, "-c", PRELUDE + textwrap.dedent("""
        a, b = connect(), connect()
        d = a.dup()
        ask(a, "echo one")
        try: a.recv(100); error = 0
        except OSError as e: error = e.errno
        try: d.send(b"x"); through = 0
        except OSError as e: through = e.errno
        fd = a.fileno(); a.close(); d.close()
        c = connect(); ask(c, "echo three"); ask(b, "echo two")
        reply(error=error, through=through, two=b.recv(100).decode(), three=c.recv(100).decode())
    """), str(peer.plain), "0"], config=RESET % ("recv", peer.plain, 0) + "count = 1\n").json()
    assert r == {"error": 104, "through": 32, "two": "two\n", "three": "three\n"}
