# SPDX-License-Identifier: Apache-2.0
"""Latency on blocking descriptors: limits, signals, flags, shared descriptions, TLS. Each program runs
against a peer that is really late and against one that is made late."""

from guest import LATE, PYTHON, between, timed


@timed
def test_so_rcvtimeo_is_honoured(late):
    r = late.run("""
        s = connect()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 200000))
        t = ask(s)
        try:
            s.recv(100); fired = None
        except BlockingIOError:
            fired = now() - t
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 0))
        got = s.recv(100).decode()
        reply(fired=fired, got=got, at=now() - t)
    """)
    between(r["fired"], 0.2, 0.45, "SO_RCVTIMEO")
    between(r["at"], 0.5, 0.5 + LATE, "answer")
    assert r["got"] == "late\n"


@timed
def test_settimeout_raises_in_time_and_the_rest_comes_later(late):
    r = late.run("""
        s = connect()
        s.settimeout(0.5)
        t = ask(s)
        try:
            s.recv(100); fired = None
        except socket.timeout:
            fired = now() - t
        s.settimeout(10)
        got = s.recv(100).decode()
        reply(fired=fired, got=got, at=now() - t)
    """, delay=1.5)
    between(r["fired"], 0.5, 0.5 + LATE, "settimeout")
    between(r["at"], 1.5, 1.5 + LATE, "answer")
    assert r["got"] == "late\n"


@timed
def test_a_signal_handler_runs_during_the_wait(late):
    """PEP 475: the handler runs at once, and the call goes on to its own end."""
    r = late.run("""
        ran = []
        signal.signal(signal.SIGALRM, lambda *a: ran.append(now()))
        s = connect()
        t = ask(s)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        got = s.recv(100).decode()
        reply(ran=[x - t for x in ran], got=got, at=now() - t)
    """)
    assert len(r["ran"]) == 1
    between(r["ran"][0], 0.1, 0.4, "signal handler")
    between(r["at"], 0.5, 0.5 + LATE, "answer")


@timed
def test_a_handler_that_raises_ends_the_wait(late):
    r = late.run("""
        def handler(*a):
            raise KeyboardInterrupt
        signal.signal(signal.SIGALRM, handler)
        s = connect()
        t = ask(s)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        try:
            s.recv(100); at = None
        except KeyboardInterrupt:
            at = now() - t
        got = s.recv(100).decode()
        reply(at=at, got=got, done=now() - t)
    """)
    between(r["at"], 0.1, 0.4, "exception from the handler")
    between(r["done"], 0.5, 0.5 + LATE, "answer")
    assert r["got"] == "late\n"


@timed
def test_msg_dontwait_msg_peek_and_waitall(late):
    r = late.run("""
        s = connect()
        t = ask(s, "echo 0123456789")
        try:
            s.recv(100, socket.MSG_DONTWAIT); early = True
        except BlockingIOError:
            early = False
        peek = s.recv(4, socket.MSG_PEEK).decode(); at = now() - t
        again = s.recv(4, socket.MSG_PEEK).decode()
        rest = s.recv(11, socket.MSG_WAITALL).decode(); done = now() - t
        reply(early=early, peek=peek, again=again, rest=rest, at=at, done=done)
    """)
    assert not r["early"]
    assert (r["peek"], r["again"], r["rest"]) == ("0123", "0123", "0123456789\n")
    between(r["at"], 0.5, 0.5 + LATE, "peek")
    between(r["done"], 0.5, 0.5 + LATE, "all")


@timed
def test_waitall_takes_bytes_of_two_times(late):
    """The second half arrives 200 ms after the first: MSG_WAITALL returns with both."""
    r = late.run("""
        s = connect()
        t = ask(s, "echo 01234")
        time.sleep(0.0)
        s.sendall(b"pause 200\\necho 6789\\n")
        got = b""
        while len(got) < 11:
            more = s.recv(11 - len(got), socket.MSG_WAITALL)
            assert more
            got += more
            first = now() - t
        reply(got=got.decode(), at=now() - t)
    """)
    assert r["got"] == "01234\n6789\n"
    between(r["at"], 0.7, 0.7 + LATE, "both halves")


@timed
def test_a_dup_shares_the_wait(late):
    """Time already waited on one descriptor counts on its duplicate."""
    r = late.run("""
        s = connect()
        d = socket.socket(fileno=os.dup(s.fileno()))
        s.setblocking(False)
        t = ask(s)
        try:
            s.recv(100); early = True
        except BlockingIOError:
            early = False
        time.sleep(0.05)
        s.close()
        d.setblocking(True)
        got = d.recv(100).decode()
        reply(early=early, got=got, at=now() - t)
    """)
    assert not r["early"] and r["got"] == "late\n"
    between(r["at"], 0.5, 0.5 + LATE, "through the duplicate")


@timed
def test_a_child_of_fork_reads_its_parents_socket(late):
    r = late.run("""
        s = connect()
        t = ask(s)
        time.sleep(0.1)
        pid = os.fork()
        if pid == 0:
            got = s.recv(100)
            ok = got == b"late\\n" and 0.499 <= now() - t
            os._exit(0 if ok else 1)
        status = os.waitpid(pid, 0)[1]
        reply(status=status, at=now() - t)
    """)
    assert r["status"] == 0
    between(r["at"], 0.5, 0.6 + LATE, "child")


@timed
def test_every_way_to_read_is_late(late):
    """read, readv, recvfrom, recvmsg, recv_into, a file object: it is the descriptor that counts."""
    r = late.run("""
        ways = {
            "recv": lambda s: s.recv(100),
            "recvfrom": lambda s: s.recvfrom(100)[0],
            "recvmsg": lambda s: s.recvmsg(100)[0],
            "recv_into": lambda s: (lambda b: bytes(b[:s.recv_into(b)]))(bytearray(100)),
            "read": lambda s: os.read(s.fileno(), 100),
            "readv": lambda s: (lambda b: bytes(b[:os.readv(s.fileno(), [b])]))(bytearray(100)),
            "file": lambda s: s.makefile("rb").readline(),
        }
        result = {}
        def one(name):
            s = connect()
            t = ask(s)
            got = ways[name](s)
            result[name] = [now() - t, got.decode()]
        threads = [threading.Thread(target=one, args=(n,)) for n in ways]
        for t in threads: t.start()
        for t in threads: t.join()
        reply(**result)
    """)
    for name, (at, got) in r.items():
        assert got == "late\n", name
        between(at, 0.5, 0.5 + LATE, name)


@timed
def test_what_came_while_nobody_looked_is_not_waited_for_twice(late):
    """A program that computes for a second finds the answer there, as it does on a slow network."""
    r = late.run("""
        s = connect()
        t = ask(s)
        time.sleep(1.2)
        got = s.recv(100).decode()
        reply(got=got, at=now() - t)
    """)
    assert r["got"] == "late\n"
    between(r["at"], 1.2, 1.2 + 0.3, "answer that was there")


@timed
def test_threads_wait_side_by_side(late):
    """Twenty blocking readers in threads wait together, not one after another; nobody spins."""
    r = late.run("""
        def one():
            s = connect()
            ask(s)
            assert s.recv(100) == b"late\\n"
        threads = [threading.Thread(target=one) for _ in range(20)]
        t, before = now(), busy()
        for x in threads: x.start()
        for x in threads: x.join()
        after = busy()
        reply(at=now() - t, cpu=after[0] - before[0], switches=after[1] - before[1])
    """)
    between(r["at"], 0.5, 0.7 + LATE, "twenty threads")
    assert r["cpu"] < 0.4 and r["switches"] < 2000, r


@timed
def test_blocking_tls_is_late(late):
    """ssl moves its bytes with read() and write(), inside libcrypto. The handshake is delayed as well,
    so the clock starts behind it."""
    r = late.run("""
        context = ssl.create_default_context(cafile=sys.argv[3])
        s = context.wrap_socket(connect(), server_hostname="127.0.0.1")
        t = ask(s)
        got = s.recv(100)
        while not got.endswith(b"\\n"): got += s.recv(100)
        reply(got=got.decode(), at=now() - t)
    """, tls_certificate(late), port=late.peer.tls)
    assert r["got"] == "late\n"
    between(r["at"], 0.5, 0.5 + LATE, "TLS answer")


@timed
def test_asyncio_tls_is_late(late):
    r = late.run("""
        import asyncio
        async def main():
            context = ssl.create_default_context(cafile=sys.argv[3])
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
            ticks = []
            async def tick():
                while True:
                    a = now()
                    await asyncio.sleep(0.01)
                    ticks.append(now() - a)
            ticker = asyncio.ensure_future(tick())
            writer.write(("pause %s\\necho late\\n" % pause).encode())
            t = now()
            got = await reader.readline()
            reply(got=got.decode(), at=now() - t, worst=max(ticks))
        asyncio.run(main())
    """, tls_certificate(late), port=late.peer.tls)
    assert r["got"] == "late\n"
    between(r["at"], 0.5, 0.5 + LATE, "TLS answer")
    assert r["worst"] < 0.3, "the loop stood still"


def tls_certificate(late):
    return late.peer.certificate


@timed
def test_udp_is_late(guest, peer):
    """Datagrams wait one by one; each keeps its borders and its sender."""
    r = guest.command([PYTHON, "-c", """
import json, socket, time
a, b = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
a.bind(("127.0.0.1", 0)); b.bind(("127.0.0.1", 0))
a.connect(b.getsockname()); b.connect(a.getsockname())
t = time.monotonic()
a.send(b"one"); a.send(b"three")
got = [b.recv(100).decode()]; at = time.monotonic() - t
got.append(b.recv(100).decode())
print(json.dumps([got, at, time.monotonic() - t]))
"""], config="[run]\nprocesses = *\n[fault udp]\ncall = recv\npeer = 127.0.0.1\ndelay = 300ms\n")
    got, first, second = r.json()
    assert got == ["one", "three"]
    between(first, 0.3, 0.3 + LATE, "first datagram")
    between(second, 0.3, 0.6 + LATE, "second datagram")


@timed
def test_a_unix_stream_is_late(guest, tmp_path):
    """The peer of a unix socket is its path."""
    path = str(tmp_path / "s")
    r = guest.command([PYTHON, "-c", """
import json, os, socket, sys, time
server = socket.socket(socket.AF_UNIX); server.bind(sys.argv[1]); server.listen()
c = socket.socket(socket.AF_UNIX); c.connect(sys.argv[1])
s, _ = server.accept()
t = time.monotonic()
s.sendall(b"hello")
got = c.recv(100).decode()
print(json.dumps([got, time.monotonic() - t]))
""", path], config="[run]\nprocesses = *\n[fault u]\ncall = recv\npeer = unix:%s\nside = client\n"
                   "delay = 300ms\n" % path)
    got, at = r.json()
    assert got == "hello"
    between(at, 0.3, 0.3 + LATE, "unix stream")
