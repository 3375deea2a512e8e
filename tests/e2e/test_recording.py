# SPDX-License-Identifier: Apache-2.0
"""Recordings survive what programs do not: SIGKILL, cut files, crashes; and they say what was seen."""

import glob
import json
import os
import shutil
import signal
import subprocess
import time

import pytest

import mhr
from guest import BUILD, PRELUDE, PYTHON, has_module

FIRES = "[run]\nprocesses = *\n[fault f]\ncall = connect\nerror = ECONNREFUSED\n"


def one_file(out):
    (path,) = glob.glob(os.path.join(out, "*.mhr"))
    return path


@pytest.mark.parametrize("after", [0.05, 0.2, 0.5])
def test_kill_9_loses_nothing(guest, peer, after):
    """The program says how many faults it has met; all of them are in the recording."""
    p, out = guest.start([PYTHON, "-u", "-c", PRELUDE + """
n = 0
print("go", flush=True)
while True:
    s = socket.socket()
    n += s.connect_ex(("127.0.0.1", port)) == 111; s.close()
    os.write(1, b"%d\\n" % n)
""", str(peer.plain), "0"], config=FIRES, stdout=subprocess.PIPE)
    assert p.stdout.readline() == b"go\n"
    end, last = time.monotonic() + after, 0
    while time.monotonic() < end:
        last = int(p.stdout.readline())
    p.send_signal(signal.SIGKILL)
    rest = p.stdout.read().split(b"\n")
    acknowledged = int(rest[-2]) if len(rest) > 1 else last
    assert p.wait() == -9
    path = one_file(out)
    faults = [e for e in mhr.read(path) if e["event"] == "op" and e["fault"]]
    assert acknowledged <= len(faults) <= acknowledged + 1
    assert mhr.header(path)["complete"] == 0
    assert [e["ordinal"] for e in faults] == list(range(len(faults)))


def test_an_orderly_end_is_marked(guest, peer):
    r = guest.command([PYTHON, "-c", PRELUDE + "connect()", str(peer.plain), "0"])
    assert r.status == 0
    assert mhr.header(one_file(r.out))["complete"] == 1
    assert [e["status"] for e in r.events("exit")] == [0]


def test_a_cut_tail_is_read_as_far_as_it_is_sound(guest, peer, tmp_path):
    """The last 2 KiB that hold records, cut at every offset: never an error, never a wrong record, and the
    tool agrees with the tests' own reader."""
    r = guest.command([PYTHON, "-c", PRELUDE + """
for _ in range(30):
    s = socket.socket(); s.connect_ex(("127.0.0.1", port)); s.close()
""", str(peer.plain), "0"], config=FIRES)
    assert r.status == 0, r.stderr
    with open(one_file(r.out), "rb") as f:
        data = f.read()
    whole = mhr.read(one_file(r.out))
    used = len(data.rstrip(b"\0"))
    assert len(whole) > 60 and used > 4096
    cut = tmp_path / "cut.mhr"
    for offset in range(used - 2048, used + 1):
        cut.write_bytes(data[:offset])
        got = mhr.read(str(cut))
        assert got == whole[:len(got)], "offset %d" % offset
    assert len(got) >= len(whole) - 1


def test_the_tool_reads_a_cut_tail_too(guest, peer, tmp_path):
    tool = os.path.join(BUILD, "tools", "mishap")
    if not os.path.exists(tool):
        pytest.skip("the tool is not built")
    r = guest.command([PYTHON, "-c", PRELUDE + "connect(); connect()", str(peer.plain), "0"], config=FIRES)
    with open(one_file(r.out), "rb") as f:
        data = f.read()
    used = len(data.rstrip(b"\0"))
    for offset in list(range(used - 400, used + 1, 7)) + [0, 1, 255, 256, 300]:
        place = tmp_path / ("cut%d" % offset)
        place.mkdir()
        (place / "h-1-1.mhr").write_bytes(data[:offset])
        done = subprocess.run([tool, "events", str(place), "--json"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=20, check=False)
        assert done.returncode in (0, 2, 3), (offset, done)
        if offset > 256:
            lines = [x for x in done.stdout.splitlines() if x.startswith(b"{")]
            assert len(lines) >= len(mhr.read(str(place / "h-1-1.mhr"))), offset


def test_noise_in_the_middle_is_stepped_over(guest, peer, tmp_path):
    r = guest.command([PYTHON, "-c", PRELUDE + """
for _ in range(30):
    s = socket.socket(); s.connect_ex(("127.0.0.1", port)); s.close()
""", str(peer.plain), "0"], config=FIRES)
    with open(one_file(r.out), "rb") as f:
        data = bytearray(f.read())
    whole = mhr.read(one_file(r.out))
    used = len(bytes(data).rstrip(b"\0"))
    data[used // 2:used // 2 + 40] = os.urandom(40)
    bad = tmp_path / "bad.mhr"
    bad.write_bytes(data)
    got = mhr.read(str(bad))
    assert len(whole) - 4 <= len(got) <= len(whole)
    assert got[-1] == whole[-1]


@pytest.mark.parametrize("what,at,swapped", [("byte order", 8, 4), ("version", 12, 2), ("version 0", 12, 0)])
def test_what_is_foreign_or_of_the_future_is_refused_by_name(guest, peer, tmp_path, what, at, swapped):
    """Both readers refuse it, and the report of a run says which of its files it could not read, and goes on."""
    r = guest.command([PYTHON, "-c", PRELUDE + "connect()", str(peer.plain), "0"])
    path = one_file(r.out)
    with open(path, "rb") as f:
        data = bytearray(f.read())
    data[at:at + swapped] = bytes(data[at:at + swapped])[::-1]
    if not swapped:
        data[at:at + 2] = b"\0\0"
    place = tmp_path / "run"
    place.mkdir()
    (place / "foreign.mhr").write_bytes(data)
    with pytest.raises(ValueError):
        mhr.read(str(place / "foreign.mhr"))
    tool = os.path.join(BUILD, "tools", "mishap")
    for verb, said in ("events", "foreign.mhr"), ("report", "no recording in '%s' can be read" % place):
        done = subprocess.run([tool, verb, str(place)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=20, check=False)
        assert done.returncode == 3 and said in done.stderr and not done.stdout, (what, done)
    shutil.copy(path, place)
    done = subprocess.run([tool, "events", "--json", str(place)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=20, check=False)
    assert done.returncode == 3 and len(done.stdout.splitlines()) == len(mhr.read(path))
    done = subprocess.run([tool, "report", "--format", "json", str(place)], stdout=subprocess.PIPE, text=True,
                          timeout=20, check=False)
    assert done.returncode == 0 and "foreign.mhr" in " ".join(json.loads(done.stdout)["blind_spots"])


@pytest.fixture
def story(guest, peer):
    """A run without any fault, of a program that talks, waits and fails for real."""
    r = guest.command([PYTHON, "-c", PRELUDE + """
def talk():
    s = connect()
    s.settimeout(5)
    for _ in range(3):
        s.sendall(b"echo hello\\n"); s.recv(100)
    s.close()
def fail():
    try: connect(int(sys.argv[3]))
    except ConnectionRefusedError: pass
def wait():
    s = connect(); s.settimeout(0.2)
    s.sendall(b"pause 600\\necho x\\n")
    try: s.recv(100)
    except socket.timeout: pass
def names():
    socket.getaddrinfo("localhost", 80)
    try: open("/no/such/file", "w")
    except FileNotFoundError: pass
talk(); fail(); wait(); names(); time.sleep(0.06)
""", str(peer.plain), "0", str(peer.closed)])
    assert r.status == 0, r.stderr
    return r


def test_connects_and_peers(story, peer):
    peers = {e["peer"]: e for e in story.events("peer")}
    connects = story.events("connect")
    ports = [peers[e["peer"]]["port"] for e in connects]
    assert ports.count(peer.plain) == 2 and ports.count(peer.closed) == 1
    assert all(e["side"] == 1 for e in connects)
    failed = [e for e in connects if e["err"]]
    assert [e["err"] for e in failed] == [111]
    assert all(peers[e["peer"]]["tail"].split("\n")[1].startswith("127.0.0.1") for e in connects)


def test_requests_and_responses(story):
    requests, responses = story.events("request"), story.events("response")
    talk = [e for e in requests if e["conn"] == requests[0]["conn"]]
    assert [e["exchange"] for e in talk] == [1, 2, 3]
    assert all(e["bytes"] == 11 for e in talk)
    assert len({e["digest"] for e in talk}) == 1, "the same bytes have the same digest"
    answers = [e for e in responses if e["conn"] == requests[0]["conn"]]
    assert [e["exchange"] for e in answers] == [1, 2, 3]
    assert all(0 < e["latency_ns"] < 2e9 for e in answers)
    closes = [e for e in story.events("close") if e["conn"] == requests[0]["conn"]]
    assert [(e["sent"], e["received"], e["pending"]) for e in closes] == [(33, 18, 0)]


def test_waits_with_their_limits(story):
    waits = {e["timeout_ns"] for e in story.events("wait") if e["pending"]}
    assert any(abs(t - 5e9) < 1e8 for t in waits), waits
    assert any(abs(t - 2e8) < 5e7 for t in waits), waits
    ended = [e for e in story.events("waited") if e["ready"] == 0]
    assert len(ended) >= 1 and ended[0]["waited_ns"] >= 199e6 and ended[0]["blocking"] == 1


def test_real_failures_with_stacks(story):
    stacks = mhr.stacks(story.events())
    real = [e for e in story.events("op") if not e["fault"] and e["err"]]
    refused = [e for e in real if e["err"] == 111]
    assert len(refused) == 1
    names = [frame[0].split(".")[-1] for frame in stacks[refused[0]["stack"]]]
    assert "fail" in names and names.index("fail") < len(names)
    assert any(e["err"] == 2 and e["path"] for e in real), "open of a missing file"
    assert not [e for e in real if e["err"] in (11, 4, 115)], "EAGAIN and friends are no failures"


def test_names_and_sleeps(story):
    assert "localhost" in [e["tail"] for e in story.events("dns")]
    assert any(abs(e["requested_ns"] - 6e7) < 1e7 for e in story.events("sleep"))


def test_an_injected_fault_says_who_and_why(guest, peer):
    r = guest.command([PYTHON, "-c", PRELUDE + """
def inner():
    s = connect(); ask(s)
    try: s.recv(100)
    except ConnectionResetError: pass
inner()
""", str(peer.plain), "0"],
        config="[run]\nprocesses = *\nseed = 5\n[fault mine]\ncall = recv\nerror = ECONNRESET\npeer = :%d\n"
               % peer.plain)
    assert r.status == 0, r.stderr
    (fault,) = r.events("fault")
    assert fault["line"] == 4 and fault["tail"].split("\n")[0] == "mine"
    (op,) = r.faults()
    assert op["fault"] == 1 and op["err"] == 104 and op["result"] == -1 and op["side"] == 1
    assert mhr.EFFECT["error"] == op["effect"] - 1 and mhr.OP["recv"] == op["kind"]
    stacks = mhr.stacks(r.events())
    assert any("inner" in frame[0] for frame in stacks[op["stack"]])
    (process,) = r.events("process")
    assert process["seed"] == 5
    assert not [e for e in r.events("note") if e["code"] == 1]


def test_a_delay_says_how_long(guest, peer):
    r = guest.command([PYTHON, "-c", PRELUDE + "s = connect(); ask(s); s.recv(100)", str(peer.plain), "0"],
                      config="[run]\nprocesses = *\n[fault slow]\ncall = recv\ndelay = 200ms\n")
    assert r.status == 0, r.stderr
    ops = r.faults()
    assert len(ops) == 1 and ops[0]["delay_ns"] == 200_000_000
    (response,) = r.events("response")
    assert response["latency_ns"] >= 199_000_000


def test_bodies_are_not_stored(guest, peer):
    secret = "s3cr3t-t0ken-%d" % os.getpid()
    r = guest.command([PYTHON, "-c", PRELUDE + """
s = connect(); ask(s, "echo " + os.environ["SECRET"]); s.recv(100)
""", str(peer.plain), "0"], env={"SECRET": secret})
    assert r.status == 0, r.stderr
    for name in os.listdir(r.out):
        with open(os.path.join(r.out, name), "rb") as f:
            assert secret.encode() not in f.read(), name


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_every_connection_that_is_closed_has_its_record(guest, loop):
    """libuv closes by system call number, past close()."""
    if not has_module(loop):
        pytest.skip(loop + " is not installed")
    r = guest.code("""
        import asyncio, sys
        async def main():
            server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0)
            for _ in range(3):
                reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
                await reader.read()
                writer.close()
                await writer.wait_closed()
            await asyncio.sleep(0.1)
        if sys.argv[1] == "uvloop":
            import uvloop
            uvloop.install()
        asyncio.run(main())
    """, loop)
    assert r.status == 0, r.stderr
    assert len(r.events("close")) == len(r.events("connect")) == 6
