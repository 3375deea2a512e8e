# SPDX-License-Identifier: Apache-2.0
"""Errors, counts, short reads, ends, resets, hangs and kills, as a program sees them."""

import errno
import os
import re
import socket
import textwrap

import pytest

from guest import PRELUDE, PYTHON, TREE, between, timed

ALL = "[run]\nprocesses = *\n[fault f]\n"

# One operation each: what raises, with `path` a file of the test's own and `port` the peer's.
PROGRAMS = {
    "socket": "socket.socket()",
    "connect": "connect()",
    "accept": "v = socket.create_server(('127.0.0.1', 0)); connect(v.getsockname()[1]); v.accept()",
    "recv": "s = connect(); ask(s); s.recv(100)",
    "send": "s = connect(); s.send(b'echo x')",
    "getaddrinfo": "socket.getaddrinfo('localhost', 80)",
    "open": "os.open(path, os.O_RDWR)",
    "read": "f = os.open(path, os.O_RDWR); os.read(f, 10)",
    "write": "f = os.open(path, os.O_RDWR); os.write(f, b'abc')",
    "fsync": "f = os.open(path, os.O_RDWR); os.fsync(f)",
    "rename": "os.rename(path, path + '2')",
    "unlink": "os.unlink(path)",
    "ftruncate": "f = os.open(path, os.O_RDWR); os.ftruncate(f, 1)",
    "close": "f = os.open(path, os.O_RDWR); os.close(f)",
    "allocate": "f = os.open(path, os.O_RDWR); os.posix_fallocate(f, 0, 100)",
    "statvfs": "os.statvfs(path)",
    "mkdir": "os.mkdir(path + '.dir')",
    "link": "os.link(path, path + '.link')",
    "stat": "os.stat(path)",
    "fstat": "f = os.open(path, os.O_RDWR); os.fstat(f)",
    "readdir": "os.listdir(os.path.dirname(path) + '/')",
}
FILES = ("open", "read", "write", "fsync", "rename", "unlink", "ftruncate", "close", "allocate", "statvfs",
         "mkdir", "link", "stat", "fstat", "readdir")
EAI = {"EAI_AGAIN": socket.EAI_AGAIN, "EAI_NONAME": socket.EAI_NONAME, "EAI_FAIL": socket.EAI_FAIL,
       "EAI_MEMORY": socket.EAI_MEMORY}
RETRIED = {"open", "read", "write", "fsync", "ftruncate", "allocate"}  # by CPython after EINTR, PEP 475


def errors_of_operations():
    """(operation, errno name) of every row of the table that a program of ours exercises."""
    with open(os.path.join(TREE, "lib", "table", "ops.def"), encoding="utf-8") as f:
        for row in re.finditer(r"^OP\((\w+),.*?ERR\(([^)]*)\)", f.read(), re.M):
            if row[1] in PROGRAMS:
                for name in row[2].split(","):
                    yield row[1], name.strip()


def run(guest, code, config, port=0, *args, status=0, **how):
    text = PRELUDE + textwrap.dedent(code)
    r = guest.command([PYTHON, "-c", text, str(port), "0", *map(str, args)], config=config, timeout=30,
                      **how)
    assert r.status == status, "exit %s\n%s\n%s" % (r.status, r.stdout, r.stderr)
    assert "mishap:" not in r.stderr, r.stderr
    return r


@pytest.mark.parametrize("operation, name", list(errors_of_operations()))
def test_each_error_of_each_operation(guest, peer, tmp_path, operation, name):
    """One error reaches the program, once; the next try passes."""
    path = tmp_path / "file"
    path.write_text("hello")
    where = "path = %s/**" % tmp_path if operation in FILES else ""
    r = run(guest, """
        path = sys.argv[3]
        def once():
            try:
                %s
            except (OSError, MemoryError) as e:
                return getattr(e, "errno", 12) or 12
            return 0
        reply(first=once(), second=once())
    """ % PROGRAMS[operation], ALL + "call = %s\nerror = %s\ncount = 1\nper = process\n%s" % (operation, name, where),
            peer.plain, path)
    figures = r.json()
    expected = EAI[name] if name in EAI else getattr(errno, name)
    if name == "EINTR" and operation in RETRIED:
        expected = 0
    assert figures["first"] == expected
    if operation not in ("rename", "unlink", "close"):
        assert figures["second"] == 0
    fired = [e for e in r.faults() if e["err"]]
    assert len(fired) == 1, fired
    assert fired[0]["err"] == (EAI[name] if name in EAI else getattr(errno, name))
    assert fired[0]["fault"] == 1


@pytest.mark.parametrize("name", ["ECONNREFUSED", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "ECONNRESET"])
def test_a_non_blocking_connect_learns_it_by_so_error(guest, peer, name):
    r = run(guest, """
        s = socket.socket(); s.setblocking(False)
        first = s.connect_ex(("127.0.0.1", port))
        p = select.poll(); p.register(s, select.POLLOUT)
        mask = p.poll(5000)[0][1] if first == 115 else None
        error = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) if first == 115 else first
        reply(first=first, mask=mask, error=error,
              next=s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
    """, ALL + "call = connect\nerror = %s\ncount = 1" % name, peer.plain).json()
    assert r["first"] in (115, getattr(errno, name))
    assert r["error"] == getattr(errno, name) and r["next"] == 0
    assert r["mask"] is None or r["mask"] & 8, "POLLERR belongs to a failed connect"


def test_a_refused_socket_can_connect_again(guest, peer):
    r = run(guest, """
        s = socket.socket()
        first = s.connect_ex(("127.0.0.1", port))
        second = s.connect_ex(("127.0.0.1", port))
        s.sendall(b"echo hi\\n")
        reply(first=first, second=second, got=s.recv(100).decode())
    """, ALL + "call = connect\nerror = ECONNREFUSED\ncount = 1", peer.plain).json()
    assert r == {"first": 111, "second": 0, "got": "hi\n"}


PATTERN = """
pattern = ""
for i in range(int(sys.argv[3])):
    s = socket.socket()
    pattern += "x" if s.connect_ex(("127.0.0.1", port)) else "."
    s.close()
reply(pattern=pattern)
"""


@pytest.mark.parametrize("keys, pattern", [
    ("count = 2", "xx.........."), ("skip = 3\ncount = 2", "...xx......."), ("every = 3", "x..x..x..x.."),
    ("skip = 2\nevery = 4\ncount = 2", "..x...x....."), ("probability = 100%", "xxxxxxxxxxxx"),
])
def test_which_operations_are_hit(guest, peer, keys, pattern):
    r = run(guest, PATTERN, ALL + "call = connect\nerror = ECONNREFUSED\n" + keys, peer.plain, 12)
    assert r.json()["pattern"] == pattern


def test_draws_repeat_with_the_seed(guest, peer):
    config = "[run]\nprocesses = *\nseed = %d\n[fault f]\ncall = connect\nerror = ECONNREFUSED\nprobability = 50%%"

    def draw(seed, **env):
        return run(guest, PATTERN, config % seed, peer.plain, 60, env=env).json()["pattern"]

    first = draw(7)
    assert draw(7) == first
    assert draw(8) != first
    assert draw(8, MISHAP_SEED="7") == first, "MISHAP_SEED is stronger than the file"
    assert 15 <= first.count("x") <= 45


def test_errors_by_weight(guest, peer):
    r = run(guest, """
        got = []
        for _ in range(60):
            s = socket.socket(); got.append(s.connect_ex(("127.0.0.1", port))); s.close()
        reply(refused=got.count(111), late=got.count(110))
    """, "[run]\nprocesses = *\nseed = 3\n[fault f]\ncall = connect\nerror = ECONNREFUSED 3, ETIMEDOUT 1",
            peer.plain).json()
    assert r["refused"] + r["late"] == 60 and r["refused"] > r["late"] > 0


@timed
def test_after_and_for(guest, peer):
    r = run(guest, """
        begun, seen = now(), []
        while now() - begun < 1.2:
            s = socket.socket()
            seen.append((now() - begun, s.connect_ex(("127.0.0.1", port)) != 0)); s.close()
            time.sleep(0.02)
        hit = [t for t, x in seen if x]
        reply(first=min(hit), last=max(hit), passed=len(seen) - len(hit))
    """, ALL + "call = connect\nerror = ECONNREFUSED\nafter = 500ms\nfor = 300ms", peer.plain).json()
    assert r["passed"] > 5
    assert 0.1 < r["first"] <= 0.6 and 0.4 < r["last"] < 0.9, r


@pytest.mark.parametrize("where, hit", [
    ("peer = 127.0.0.1:%d", True), ("peer = :%d", True), ("peer = 127.0.0.0/8", True),
    ("peer = localhost:%d", True), ("peer = local*:%d", True), ("side = client\npeer = :%d", True),
    ("peer = 10.0.0.0/8", False), ("peer = 127.0.0.1:1", False), ("side = server", False),
    ("peer = redis:%d", False),
])
def test_where_a_fault_applies(guest, peer, where, hit):
    r = run(guest, """
        s = socket.create_connection(("localhost", port)); ask(s)
        try:
            s.recv(100); reply(hit=False)
        except ConnectionResetError:
            reply(hit=True)
    """, ALL + "call = recv\nerror = ECONNRESET\n" + (where.replace("%d", str(peer.plain))), peer.plain)
    assert r.json()["hit"] == hit


def test_an_accepted_connection_is_the_server_side(guest, peer):
    r = run(guest, """
        v = socket.create_server(("127.0.0.1", 0))
        c = connect(v.getsockname()[1]); s, _ = v.accept()
        c.send(b"x"); s.send(b"y")
        result = {}
        for name, x in (("client", c), ("server", s)):
            try:
                x.recv(1); result[name] = 0
            except OSError as e:
                result[name] = e.errno
        reply(**result)
    """, ALL + "call = recv\nside = server\nerror = ECONNRESET", peer.plain).json()
    assert r == {"client": 0, "server": 104}


def test_short_reads_and_writes_lose_nothing(guest, peer):
    r = run(guest, """
        s = connect()
        s.sendall(b"big 20000\\n")
        got, sizes = b"", set()
        while len(got) < 20000:
            data = s.recv(4096); sizes.add(len(data)); got += data
        sent = s.send(b"echo 0123456789abcdefghijklmnopqrstuvwxyz\\n")
        s.sendall(b"echo 0123456789abcdefghijklmnopqrstuvwxyz\\n"[sent:])
        line = s.makefile("rb").readline().decode()
        reply(whole=got == (bytes(range(256)) * 79)[:20000], low=min(sizes), high=max(sizes), sent=sent,
              line=line)
    """, ALL + "call = recv send\nshort = 1..16\n", peer.plain).json()
    assert r["whole"] and 1 <= r["low"] and r["high"] <= 16 and 1 <= r["sent"] <= 16
    assert r["line"] == "0123456789abcdefghijklmnopqrstuvwxyz\n"


def test_the_end_after_so_many_bytes(guest, peer):
    r = run(guest, """
        s = connect(); s.sendall(b"big 5000\\n"); got = b""
        while True:
            data = s.recv(64)
            if not data: break
            got += data
        again = s.recv(10).decode()
        p = select.poll(); p.register(s, select.POLLIN | select.POLLRDHUP)
        mask = p.poll(1000)[0][1]
        s.send(b"echo still\\n")
        reply(n=len(got), right=got == bytes(range(100)), again=again, mask=mask)
    """, ALL + "call = recv\neof = after 100 bytes", peer.plain).json()
    assert r["n"] == 100 and r["right"] and r["again"] == "" and r["mask"] & 1


def test_a_kill_is_recorded_before_it_kills(guest, peer):
    r = run(guest, "s = connect(); ask(s); s.recv(10); print('alive')",
            ALL + "call = recv\nkill = SIGKILL", peer.plain, status=-9)
    assert "alive" not in r.stdout
    assert [e["fault"] for e in r.faults()] == [1]


HANG = ALL + "call = %s\nhang = yes\npeer = 127.0.0.1:%d\n"


@timed
def test_a_hang_is_ended_by_the_programs_own_limits(guest, peer):
    r = run(guest, """
        import asyncio
        result = {}
        s = connect(); ask(s); s.settimeout(0.3); t = now()
        try: s.recv(10)
        except socket.timeout: result["settimeout"] = now() - t
        s.setblocking(False); t = now()
        p = select.poll(); p.register(s, select.POLLIN)
        assert p.poll(300) == []; result["poll"] = now() - t; t = now()
        assert select.select([s], [], [], 0.3)[0] == []; result["select"] = now() - t; t = now()
        e = select.epoll(); e.register(s, select.EPOLLIN)
        assert e.poll(0.3) == []; result["epoll"] = now() - t
        async def main():
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"echo x\\n"); t = now()
            try: await asyncio.wait_for(reader.readline(), 0.3)
            except asyncio.TimeoutError: result["asyncio"] = now() - t
        asyncio.run(main())
        before = busy(); p.poll(500); after = busy()
        assert after[0] - before[0] < 0.1
        reply(**result)
    """, HANG % ("recv", peer.plain), peer.plain).json()
    assert len(r) == 5
    for name, t in r.items():
        between(t, 0.3, 0.3 + 0.5, name)


@timed
def test_a_hang_ends_with_shutdown_and_with_its_fault(guest, peer):
    r = run(guest, """
        s = connect(); ask(s)
        threading.Timer(0.3, lambda: s.shutdown(socket.SHUT_RDWR)).start()
        t = now(); left = len(s.recv(100)); reply(at=now() - t, left=left)
    """, HANG % ("recv", peer.plain), peer.plain).json()
    between(r["at"], 0.3, 0.8, "shutdown wakes a reader")
    r = run(guest, """
        begun = now(); s = connect(); ask(s); s.settimeout(10)
        got = s.recv(100).decode(); reply(at=now() - begun, got=got)
    """, HANG % ("recv", peer.plain) + "for = 600ms\n", peer.plain).json()
    assert r["got"] == "late\n" and 0.2 < r["at"] < 2, r


@timed
def test_a_connect_can_hang(guest, peer):
    r = run(guest, """
        s = socket.socket(); s.settimeout(0.3); t = now()
        try: s.connect(("127.0.0.1", port)); at = 0
        except socket.timeout: at = now() - t
        reply(at=at)
    """, HANG % ("connect", peer.plain), peer.plain).json()
    between(r["at"], 0.3, 0.8, "limit of a connect that hangs")


@timed
def test_a_late_lookup(guest, peer):
    r = run(guest, """
        t = now(); socket.getaddrinfo("localhost", 80); a = now() - t
        reply(at=a)
    """, ALL + "call = getaddrinfo\ndelay = 300ms", peer.plain).json()
    between(r["at"], 0.3, 0.8, "getaddrinfo")
