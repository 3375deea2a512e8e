# SPDX-License-Identifier: Apache-2.0
"""Rows of config/COMPARISON.md: those that no other test holds alone, and what the columns of strace and libfiu
say, against the real tools where they are installed."""

import errno
import re
import subprocess

import mhr
import pytest
from guest import PRELUDE, PYTHON, need, timed
from test_cli import mishap
from test_effects import ALL, PATTERN, run


def test_an_error_that_has_to_be_forced(guest, peer, tmp_path):
    """Linux never gives EPIPE to who receives: refused, unless it is said that it is meant."""
    path = tmp_path / "f.ini"
    path.write_text(ALL + "call = recv\nerror = EPIPE\n")
    done = mishap("check", path)
    assert done.returncode == 2 and "EPIPE" in done.stderr and "force = yes" in done.stderr
    r = run(guest, """
        s = connect(); ask(s)
        try: s.recv(10); told = 0
        except OSError as e: told = e.errno
        reply(told=told)
    """, ALL + "call = recv\nerror = EPIPE\nforce = yes\n", peer.plain)
    assert r.json() == {"told": errno.EPIPE}


@timed
def test_phases(guest, peer):
    """One after another, each with its faults: calm, trouble, calm."""
    r = run(guest, """
        begun, seen = now(), []
        while now() - begun < 1.8:
            s = socket.socket()
            seen.append((now() - begun, s.connect_ex(("127.0.0.1", port)))); s.close()
            time.sleep(0.02)
        reply(refused=[t for t, e in seen if e], fine=[t for t, e in seen if not e])
    """, "[run]\nprocesses = *\n[phase calm]\nfor = 600ms\n[phase down]\nfor = 600ms\nfaults = f\n[phase after]\n"
         "[fault f]\ncall = connect\nerror = ECONNREFUSED\n", peer.plain)
    f = r.json()
    assert 0.2 < f["refused"][0] <= 0.7 and f["refused"][-1] < 1.3, f["refused"]
    assert f["fine"][0] < f["refused"][0] and f["fine"][-1] > f["refused"][-1]
    assert not [t for t in f["fine"] if f["refused"][0] < t < f["refused"][-1]]


# Two sites ask by turns, twice each, over two connections in each of two processes. The first that is asked is hit.
ASKERS = """
def here(s): ask(s, "echo x"); return told(s)
def there(s): ask(s, "echo x"); return told(s)
def told(s):
    try: s.recv(10); return "."
    except ConnectionResetError: return "x"
def whole():
    pattern, kept = "", [connect(), connect()]
    for asks in here, there, here, there:
        for n in range(2):
            pattern += asks(kept[n])
            if pattern[-1] == "x": kept[n].close(); kept[n] = connect()
    return pattern
r, w = os.pipe()
first = whole()
if os.fork() == 0:
    os.write(w, whole().encode()); os._exit(0)
os.wait()
reply(first=first, second=os.read(r, 100).decode())
"""


@pytest.mark.parametrize("per, first, second", [
    ("run", "x.......", "........"), ("process", "x.......", "x......."), ("peer", "x.......", "x......."),
    ("connection", "xxxxxxxx", "xxxxxxxx"), ("site", "x.x.....", "x.x....."),
])
def test_counted_by(guest, peer, per, first, second):
    r = run(guest, ASKERS, ALL + "call = recv\npeer = 127.0.0.1\nerror = ECONNRESET\ncount = 1\nper = %s\n" % per,
            peer.plain)
    assert r.json() == {"first": first, "second": second}


@pytest.mark.parametrize("operation, name, program", [
    ("fsync", "EIO", "os.fsync(f)"), ("rename", "ENOSPC", "os.rename(path, path + '2')"),
    ("rename", "EXDEV", "os.replace(path, path + '2')"), ("open", "EMFILE", "os.open(path, os.O_RDONLY)"),
    ("open", "EACCES", "open(path, 'a')"),
])
def test_files_fail(guest, tmp_path, operation, name, program):
    """The error, and that nothing was done."""
    (tmp_path / "file").write_text("hello")
    r = run(guest, """
        path = sys.argv[3]
        f = os.open(path, os.O_RDWR)
        try: %s; told = 0
        except OSError as e: told = e.errno
        reply(told=told, there=[n for n in os.listdir(os.path.dirname(path)) if n.startswith("file")])
    """ % program, ALL + "call = %s\nerror = %s\npath = %s/**\nskip = %d\n" % (operation, name, tmp_path, operation == "open"),
            0, tmp_path / "file")
    assert r.json() == {"told": getattr(errno, name), "there": ["file"]}


def test_allocations_fail(guest):
    """malloc alone, by chance, at one place, without a budget; small objects are not of malloc."""
    r = run(guest, """
        def take(size): return bytes(size)
        told = []
        for _ in range(40):
            try: take(100000); told.append(0)
            except MemoryError: told.append(1)
        reply(refused=sum(told), small=len([take(10) for _ in range(1000)]))
    """, "[run]\nprocesses = *\nseed = 5\n[fault f]\ncall = malloc\nerror = ENOMEM\nprobability = 50%\nstack = *.take\n")
    f = r.json()
    assert 8 < f["refused"] < 32 and f["small"] == 1000
    assert {e["kind"] for e in r.faults()} == {mhr.OP["malloc"]}


def test_a_fault_and_what_became_of_it(guest, peer):
    """The fault and its draw, the peer, the stack, and the exception until somebody caught it."""
    r = run(guest, """
        def fetch(s): ask(s); return s.recv(10)
        def page():
            s = connect()
            try: return fetch(s)
            except ConnectionError: return "sorry"
        reply(got=page())
    """, ALL + "call = recv\nerror = ECONNRESET\n", peer.plain)
    assert r.json() == {"got": "sorry"}
    fired, = r.faults()
    assert fired["err"] == errno.ECONNRESET and fired["fault"] == 1 and fired["peer"]
    stack = next(e for e in r.events("stack") if e["stack"] == fired["stack"])["tail"]
    assert "fetch" in stack.splitlines()[0] and "page" in stack.splitlines()[1]
    steps = [(e["step"], e["tail"].split("\t")[:2]) for e in r.events("outcome") if e["op"] == fired["op"]]
    assert steps == [(mhr.STEP["born"], ["ConnectionResetError", "fetch"]),
                     (mhr.STEP["handled"], ["ConnectionResetError", "page"])]


def test_only_some_processes(guest, peer):
    """process = by program and arguments: of two children, the one that is named."""
    r = run(guest, """
        import subprocess
        child = "import socket, sys; sys.exit(socket.socket().connect_ex(('127.0.0.1', %d)))" % port
        reply(**{name: subprocess.run([sys.executable, "-c", child, name]).returncode for name in ("worker", "beat")})
    """, ALL + "call = connect\nprocess = *worker*\nerror = ECONNREFUSED\n", peer.plain)
    assert r.json() == {"worker": errno.ECONNREFUSED, "beat": 0}


def other(program, *before, args=()):
    """What a few lines of Python say under another tool."""
    done = subprocess.run([*before, PYTHON, "-S", "-c", PRELUDE + program, *map(str, args)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
    if done.returncode and "ptrace" in done.stderr.lower():
        pytest.skip("no right to trace: " + done.stderr.splitlines()[0])
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


READS = """
told = []
for _ in range(8):
    f = os.open(sys.argv[3], os.O_RDONLY)
    try: got = os.read(f, 4); told.append(got.decode() if got in b"abcdXXcd" else "%d" % len(got))
    except OSError as e: told.append(errno_of(e))
    os.close(f)
print(*told)
""".replace("errno_of(e)", "str(e.errno)")


@pytest.mark.parametrize("inject, said", [
    ("error=EIO:when=2+3", "abcd 5 abcd abcd 5 abcd abcd 5"),                        # first+step, by number
    ("error=EPIPE:when=1", "32 abcd abcd abcd abcd abcd abcd abcd"),                # any errno at all
    ("retval=2:when=1", "[0-9]+ abcd abcd abcd abcd abcd abcd abcd"),               # "short": nothing was read at all
    ("poke_exit=@arg2=5858:when=2", "abcd XXcd abcd abcd abcd abcd abcd abcd"),     # always the same bytes
])
def test_what_strace_injects(tmp_path, inject, said):
    (tmp_path / "file").write_text("abcd")
    got = other(READS, need("strace"), "-qq", "-o", "/dev/null", "-e", "trace=read", "-P", str(tmp_path / "file"),
                "-e", "inject=read:" + inject, args=(0, 0, tmp_path / "file"))
    assert re.fullmatch(said, got), got


@timed
def test_a_delay_of_strace_stops_the_loop(peer):
    """Its delay is the thread's: beside one late answer the loop's own ticks are as late."""
    ticker = """
import asyncio
async def main():
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    ticks = []
    async def tick():
        while True:
            a = now(); await asyncio.sleep(0.01); ticks.append(now() - a)
    ticking = asyncio.ensure_future(tick())
    await asyncio.sleep(0.05)
    writer.write(b"echo x\\n"); await reader.readline()
    await asyncio.sleep(0.05)
    print(max(ticks))
asyncio.run(main())
"""
    worst = float(other(ticker, need("strace"), "-f", "-qq", "-o", "/dev/null", "-e", "trace=recvfrom", "-e",
                        "inject=recvfrom:delay_exit=400000", args=(peer.plain, 0)))
    assert worst > 0.35


@pytest.mark.parametrize("inject, told", [
    ("enable name=posix/io/rw/pread,failinfo=32", {"32"}),                         # any errno at all, if asked
    ("enable name=posix/io/rw/pread", {str(n) for n in (5, 6, 14, 21, 22, 75, 77)}),  # else one of a list
    ("enable_random name=posix/io/rw/pread,probability=0.5,failinfo=5", {"5", "abcd"}),
    ("enable_random name=posix/io/rw/pread/reduce,probability=0.9", {"a", "ab", "abc", "abcd", ""}),
])
def test_what_libfiu_injects(tmp_path, inject, told):
    (tmp_path / "file").write_text("abcd")
    program = READS.replace("os.read(f, 4)", "os.pread(f, 4, 0)").replace("range(8)", "range(60)")
    got = other(program.replace("print(*told)", "print(*told, sep=',')"), need("fiu-run"), "-x", "-c", inject,
                args=(0, 0, tmp_path / "file")).split(",")
    assert set(got) <= told and (len(set(got)) > 1) == (len(told) > 1), got
