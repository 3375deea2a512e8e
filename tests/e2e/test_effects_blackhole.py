# SPDX-License-Identifier: Apache-2.0
"""Black holes: the peer is gone without a word. What is sent vanishes, nothing arrives, and nobody is
told before a limit of the program, of its socket, or the end of the fault."""

import pytest

from guest import between, timed
from test_effects import ALL, run

HOLE = ALL + "call = %s\nblackhole = yes\npeer = 127.0.0.1:%d\n"


@timed
def test_what_is_sent_vanishes(guest, peer):
    r = run(guest, """
        s = connect(); mine = s.getsockname()[1]
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 30000)
        room, sent = s.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF), 0
        s.setblocking(False)
        try:
            while True: sent += s.send(b"echo x\\n" * 1000)
        except BlockingIOError:
            pass
        p = select.poll(); p.register(s, select.POLLIN | select.POLLOUT); t = now()
        ready = p.poll(300); waited = now() - t
        s.settimeout(0.3); t = now()
        try: s.recv(10); late = -1
        except socket.timeout: late = now() - t
        reply(sent=sent, room=room, ready=ready, waited=waited, late=late, mine=mine)
    """, HOLE % ("send recv", peer.plain), peer.plain)
    f = r.json()
    assert 0 < f["sent"] <= f["room"] and f["ready"] == []
    between(f["waited"], 0.3, 0.8, "poll")
    between(f["late"], 0.3, 0.8, "recv")
    end = peer.end_of(f["mine"])
    assert end["received"] == 0, "the peer got something"
    assert [e["fault"] for e in r.faults()] == [1], "one record of one hole"


@pytest.mark.parametrize("way", ["blocking", "poll", "epoll", "asyncio"])
@timed
def test_the_end_of_the_fault_resets_what_was_cut(guest, peer, way):
    """The peer never got the bytes: there is no going on, and both ends are told."""
    r = run(guest, """
        import asyncio
        way, begun = sys.argv[3], now()
        def finish(s):
            try: return s.recv(10).decode()
            except ConnectionResetError: return "reset"
        if way == "asyncio":
            async def main():
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                mine = writer.get_extra_info("sockname")[1]
                writer.write(b"echo x\\n")
                try: return mine, (await asyncio.wait_for(reader.read(10), 10)).decode()
                except ConnectionResetError: return mine, "reset"
            mine, got = asyncio.run(main())
        else:
            s = connect(); mine = s.getsockname()[1]; s.send(b"echo x\\n"); s.settimeout(10)
            if way == "poll":
                p = select.poll(); p.register(s, select.POLLIN); mask = p.poll(10000)[0][1]
                assert mask & select.POLLERR and mask & select.POLLHUP, mask
            if way == "epoll":
                e = select.epoll(); e.register(s, select.EPOLLIN); mask = e.poll(10)[0][1]
                assert mask & select.EPOLLERR and mask & select.EPOLLHUP, mask
            got = finish(s)
        reply(got=got, at=now() - begun, mine=mine, cpu=busy()[0])
    """, HOLE % ("net", peer.plain) + "skip = 1\nfor = 1s\n", peer.plain, way)
    f = r.json()
    assert f["got"] == "reset" and 0.05 < f["at"] < 3, f
    end = peer.end_of(f["mine"])
    assert end["end"] == "ECONNRESET" and end["received"] == 0, end


@timed
def test_a_hole_into_which_nothing_was_sent_is_mended(guest, peer):
    r = run(guest, """
        s = connect(); s.send(b"echo early\\n"); s.settimeout(10); begun = now()
        first = s.recv(100).decode(); s.send(b"echo later\\n"); second = s.recv(100).decode()
        reply(first=first, second=second)
    """, HOLE % ("recv", peer.plain) + "for = 700ms\n", peer.plain).json()
    assert r == {"first": "early\n", "second": "later\n"}


@timed
def test_the_sockets_own_limit_ends_it(guest, peer):
    """TCP_USER_TIMEOUT, as psycopg and others set it, is how long Linux waits for an answer."""
    r = run(guest, """
        import errno
        s = connect(); s.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 400)
        t = now(); s.send(b"echo x\\n"); s.settimeout(10)
        try: s.recv(10); got = 0
        except OSError as e: got = e.errno
        reply(got=got == errno.ETIMEDOUT, at=now() - t)
    """, HOLE % ("net", peer.plain) + "skip = 1\n", peer.plain).json()
    assert r["got"]
    between(r["at"], 0.4, 1.2, "TCP_USER_TIMEOUT")


@timed
def test_connecting_into_a_hole(guest, peer):
    r = run(guest, """
        s = socket.socket(); s.settimeout(0.3); t = now()
        try: s.connect(("127.0.0.1", port)); at = 0
        except socket.timeout: at = now() - t
        reply(at=at)
    """, HOLE % ("net.connect", peer.plain), peer.plain).json()
    between(r["at"], 0.3, 0.8, "limit of a connect")


def test_a_close_does_not_pretend_that_it_was_all(guest, peer):
    """The peer has half a message: an orderly end would call it whole."""
    r = run(guest, """
        s = connect(); mine = s.getsockname()[1]
        s.send(b"echo one\\n"); first = s.recv(100).decode()
        s.send(b"echo two\\n"); s.shutdown(socket.SHUT_WR); s.close()
        reply(first=first, mine=mine)
    """, HOLE % ("send", peer.plain) + "skip = 1\n", peer.plain).json()
    assert r["first"] == "one\n"
    end = peer.end_of(r["mine"])
    assert end["end"] == "ECONNRESET" and end["received"] == 9, end


def test_datagrams_vanish(guest, peer):
    r = run(guest, """
        v = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); v.bind(("127.0.0.1", 0)); v.settimeout(0.2)
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(v.getsockname())
        sent = sum(s.send(b"x" * 1000) for _ in range(500))
        try: got = len(v.recv(2000))
        except socket.timeout: got = 0
        reply(sent=sent, got=got)
    """, ALL + "call = send\nblackhole = yes\n", peer.plain).json()
    assert r == {"sent": 500000, "got": 0}


def test_a_neighbour_is_not_cut(guest, peer):
    r = run(guest, """
        s, o = connect(), connect(int(sys.argv[3]))
        s.send(b"echo a\\n"); o.send(b"echo b\\n")
        ready = select.select([s, o], [], [], 5)[0]
        reply(ready=[x is o for x in ready], got=o.recv(10).decode())
    """, HOLE % ("send recv", peer.plain), peer.plain, peer.plain2).json()
    assert r == {"ready": [True], "got": "b\n"}
