# SPDX-License-Identifier: Apache-2.0
"""After a transfer that fell short: what the program did next, as it is recorded."""

import textwrap

import pytest

from guest import PYTHON

FAULT = """
[run]
processes = *
[fault f]
call = file.read file.write
path = %s/**
short = 4
[fault g]
call = net.send
side = client
short = 4
"""

START = """
import asyncio, os, selectors, socket, sys, threading
d = sys.argv[1]
def new(n="a"):
    return os.open(d + "/" + n, os.O_CREAT | os.O_RDWR)
def pair(timeout):
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname(), timeout=timeout)
    return client, listener.accept()[0]
"""

REST, OTHER, NOTHING = 1, 2, 3

# What is done, and of each transfer that fell short what is said.
ROWS = {
    "one write": ("os.write(new(), b'0123456789')", [(NOTHING, 4, 10)]),
    "the rest": ("f = new()\nos.write(f, b'0123456789')\nos.write(f, b'4567')", [(REST, 4, 10)]),
    "all anew": ("f = new()\nos.write(f, b'0123456789')\nos.lseek(f, 0, 0)\nos.write(f, b'0123456789')\nos._exit(0)",
                 [(REST, 4, 10), (NOTHING, 4, 10)]),
    "other bytes": ("f = new()\nos.write(f, b'0123456789')\nos.write(f, b'zzz')", [(OTHER, 4, 10)]),
    "another thread's bytes": ("f = new()\nos.write(f, b'0123456789')\n"
                               "t = threading.Thread(target=os.write, args=(f, b'zzz'))\nt.start()\nt.join()\n"
                               "os.close(f)", [(NOTHING, 4, 10)]),
    "a duplicate": ("f = new()\nos.write(f, b'0123456789')\ng = os.dup(f)\nos.close(f)\nos.write(g, b'4567')",
                    [(REST, 4, 10)]),
    "a vector": ("f = new()\nos.writev(f, [b'012', b'345', b'6789'])\nos.writev(f, [b'45', b'67'])", [(REST, 4, 10)]),
    "a buffered file": ("with open(d + '/a', 'wb') as f:\n    f.write(b'0123456789')", [(REST, 4, 10), (REST, 4, 6)]),
    "a raw file": ("with open(d + '/a', 'wb', buffering=0) as f:\n    f.write(b'0123456789')", [(NOTHING, 4, 10)]),
    "a child goes on": ("f = new()\nos.write(f, b'0123456789')\nif not os.fork():\n    os.write(f, b'zzz')\n    os._exit(0)\n"
                        "os.wait()\nos.write(f, b'4567')", [(REST, 4, 10)]),
}

READS = {
    "of all there is": ("os.read(f, os.fstat(f).st_size)", [(NOTHING, 1)]),
    "of so much": ("os.read(f, 8192)", [(NOTHING, 0)]),
    "to the end": ("while os.read(f, 64): pass", None),
    "of its tail": ("os.pread(f, 10, 90)", [(NOTHING, 1)]),
    "of its head": ("os.pread(f, 10, 0)", [(NOTHING, 0)]),
}

SENDS = {
    "sendall": ("c.sendall(b'0123456789')", [(REST, 0, 0), (REST, 0, 0)]),
    "send": ("c.send(b'0123456789')\nc.close()", [(NOTHING, 0, 0)]),
    "send and listen": ("c.send(b'0123456789')\ns.send(b'x')\nc.recv(9)\nc.close()", [(NOTHING, 1, 0)]),
    "another listens": ("c.send(b'0123456789')\ns.send(b'x')\nt = threading.Thread(target=c.recv, args=(9,))\nt.start()\n"
                        "t.join()\nc.close()", [(NOTHING, 0, 0)]),
    "other bytes": ("c.send(b'0123456789')\nc.send(b'zz')", [(OTHER, 0, 1)]),
    "it would go on": ("c.send(b'0123456789')\nsel = selectors.EpollSelector()\nsel.register(c, selectors.EVENT_WRITE)\n"
                       "s.send(b'x')\nc.recv(9)\nc.close()", [(NOTHING, 1, 1)]),
}


def rests(guest, tmp_path, code):
    r = guest.command([PYTHON, "-c", START + textwrap.dedent(code), str(tmp_path)], config=FAULT % tmp_path, timeout=30)
    assert r.status == 0, r.stderr
    short = {e["op"]: e for e in r.faults()}
    found = r.events("rest")
    assert all(e["op"] in short and short[e["op"]]["asked"] == e["asked"] for e in found)
    return found


@pytest.mark.parametrize("name", ROWS)
def test_writes(guest, tmp_path, name):
    code, expected = ROWS[name]
    assert [(e["how"], e["moved"], e["asked"]) for e in rests(guest, tmp_path, code)] == expected


@pytest.mark.parametrize("name", READS)
def test_reads(guest, tmp_path, name):
    code, expected = READS[name]
    (tmp_path / "a").write_bytes(b"x" * 100)
    found = [(e["how"], e["whole"]) for e in rests(guest, tmp_path, "f = new()\n" + code)]
    if expected:
        assert found == expected
    else:
        assert len(found) >= 20 and {how for how, _ in found[:-1]} == {REST}


@pytest.mark.parametrize("timeout", [None, 5])
@pytest.mark.parametrize("name", SENDS)
def test_sends(guest, tmp_path, name, timeout):
    code, expected = SENDS[name]
    found = rests(guest, tmp_path, "c, s = pair(%r)\n%s" % (timeout, code))
    if name == "other bytes" and timeout is None:
        expected = [(OTHER, 0, 0)]  # with a limit a socket waits before each send
    if name == "sendall" and timeout:
        expected = [(REST, 0, 1), (REST, 0, 1)]
    assert [(e["how"], e["listened"], e["awaited"]) for e in found] == expected


def test_a_full_disk_cuts_short(guest, tmp_path):
    config = "[run]\nprocesses = *\n[fault f]\ncall = file.write\npath = %s/**\ndisk = 6 bytes\n" % tmp_path
    code = START + "os.write(new(), b'0123456789')"
    r = guest.command([PYTHON, "-c", code, str(tmp_path)], config=config, timeout=30)
    assert [(e["how"], e["moved"], e["asked"]) for e in r.events("rest")] == [(NOTHING, 6, 10)]
