# SPDX-License-Identifier: Apache-2.0
"""`mishap set`: switches and values of a run that goes on, seen in a parent and its forked and spawned
children."""

import os
import subprocess
import threading
import time

import pytest

from guest import BUILD, PROGRAMS, PYTHON, timed

import mhr

MISHAP = os.path.join(BUILD, "tools", "mishap")
ROLES = {"parent", "forked", "spawned"}
SCENARIO = """
[run]
processes = *
[fault slow]
call = recv
peer = 127.0.0.1:%d
delay = 60ms
[fault odd]
call = recv
peer = 127.0.0.1:%d
error = ECONNRESET
probability = 1%%
skip = 1000000
"""


def mishap(*words, **how):
    return subprocess.run([MISHAP, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=30, check=False, stdin=subprocess.DEVNULL, **how)


class Running:
    def __init__(self, guest, peer):
        self.process, self.out = guest.start(
            [PYTHON, os.path.join(PROGRAMS, "latencies.py"), str(peer.plain)],
            config=SCENARIO % (peer.plain, peer.plain), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.lines, self.news = [], threading.Condition()
        threading.Thread(target=self._follow, daemon=True).start()
        self.wait(lambda rows: {r[0] for r in rows} == ROLES)

    def _follow(self):
        for line in self.process.stdout:
            role, asked, took, err = line.decode().split()
            with self.news:
                self.lines.append((role, float(asked), float(took), int(err)))
                self.news.notify_all()

    def wait(self, test, since=0.0):
        """Rows that were asked after `since`, when `test` holds for them."""
        def rows():
            return [r for r in self.lines if r[1] >= since]

        with self.news:
            assert self.news.wait_for(lambda: test(rows()), 20), rows()[-20:]
            return rows()

    def set(self, *words, where=None):
        """Changes the run; returns the moment at which every process has to know it."""
        done = mishap("set", where or self.out, *words)
        assert done.returncode == 0, done.stderr
        return time.monotonic() + 0.05

    def each(self, since, n=4):
        """At least n rows of each role, asked after the moment."""
        return self.wait(lambda rows: all(sum(r[0] == role for r in rows) >= n for role in ROLES), since)

    def stop(self):
        self.process.stdin.close()
        try:
            assert self.process.wait(20) == 0
        finally:
            if self.process.poll() is None:
                self.process.kill()
            self.process.stdout.close()


@pytest.fixture
def running(guest, peer):
    r = Running(guest, peer)
    yield r
    r.stop()


def slow(rows):
    return all(r[2] >= 0.0595 for r in rows)


def quick(rows):
    """Some answer of every process came sooner than the delay: a busy machine may hold up the others."""
    return all(any(r[2] < 0.055 for r in rows if r[0] == role) for role in ROLES)


def test_off_and_on(running):
    assert slow(running.each(0))
    assert quick(running.each(running.set("off", "slow")))
    assert slow(running.each(running.set("on", "slow")))
    assert quick(running.each(running.set("off")))
    assert slow(running.each(running.set("on")))


def test_switches_are_of_one_fault(running):
    assert slow(running.each(running.set("off", "odd")))
    assert quick(running.each(running.set("off", "slow")))
    assert slow(running.each(running.set("on")))  # all that was off


def test_nothing_fires_when_off(running):
    since = running.set("off", "slow")
    until = running.each(since, 6)[-1][1]
    running.set("on")
    fired = [e["at"] / 1e9 for e in mhr.read_dir(running.out) if e["event"] == "op" and e["fault"]]
    assert [at for at in fired if at < since]
    assert not [at for at in fired if since <= at <= until]


@timed
def test_a_value(running):
    assert slow(running.each(0))
    since = running.set("slow.delay=200ms")
    assert all(r[2] >= 0.1995 for r in running.each(since))
    since = running.set("slow.delay=uniform 20ms 30ms")
    rows = running.each(since)
    assert all(r[2] >= 0.0195 for r in rows) and quick(rows)
    assert mishap("set", running.out).stdout.split("slow", 1)[1].split("\n")[0].strip().endswith(
        "delay=uniform 20ms 30ms")


def test_a_key_that_the_fault_did_not_have(running):
    since = running.set("slow.error=ECONNRESET", "slow.every=2")
    rows = running.wait(lambda rows: all({r[3] for r in rows if r[0] == role} == {0, 104} for role in ROLES), since)
    assert {r[3] for r in rows} == {0, 104}
    notes = [e for e in mhr.read_dir(running.out) if e["event"] == "note" and e["code"] == mhr.NOTE["changed"]]
    assert len({e["file_pid"] for e in notes}) >= 3


def test_by_a_process(running):
    assert quick(running.each(running.set("off", where=running.process.pid)))


HELD = [(way, "recv", what) for way in ("recv", "limit", "poll", "epoll", "select", "asyncio")
        for what in ("hang = yes", "delay = 20s", "blackhole = yes", "rate = 1 byte/s\ndelay = 5s")] + [
    ("send", "send", "hang = yes"), ("send", "send", "delay = 20s"), ("asyncio", "send", "hang = yes"),
    ("connect", "connect", "delay = 20s"), ("connect", "connect", "hang = yes"),
    ("timeout", "connect", "hang = yes"), ("timeout", "connect", "blackhole = yes"),
    ("timeout", "connect", "delay = 20s\nerror = ECONNREFUSED"), ("asyncio", "connect", "hang = yes"),
    ("asyncio", "connect", "blackhole = yes"), ("asyncio", "connect", "delay = 20s"), ("open", "open", "delay = 20s"),
    ("read", "read", "delay = 20s"), ("getaddrinfo", "getaddrinfo", "delay = 20s"),
]


@pytest.mark.parametrize("way, call, what", HELD)
@pytest.mark.parametrize("words", [("off",), ("off", "f")])
@timed
def test_what_is_held_is_let_go(guest, peer, tmp_path, way, call, what, words):
    """A wait under way ends with the fault that holds it: no later than 50 ms after `mishap set`, and a busy machine
    after half a second."""
    (tmp_path / "file").write_text("hello")
    where = {"open": "path = %s/file" % tmp_path, "read": "path = %s/file" % tmp_path, "getaddrinfo": ""}
    process, out = guest.start([PYTHON, os.path.join(PROGRAMS, "held.py"), str(peer.plain), way, str(tmp_path / "file")],
                               config="[run]\nprocesses = *\n[fault f]\ncall = %s\n%s\n%s\n"
                               % (call, what, where.get(call, "peer = 127.0.0.1")), stdout=subprocess.PIPE)
    with process:
        try:
            process.stdout.readline()
            time.sleep(0.4)
            assert process.poll() is None
            assert mishap("set", out, *words).returncode == 0
            since = time.monotonic()
            process.wait(5)
            assert float(process.stdout.readline()) - since < 0.05 + 0.5
        finally:
            process.kill()
    assert [e["fault"] for e in mhr.read_dir(out) if e["event"] == "op" and e["fault"]]


def test_what_begins_later_has_it(running, guest, peer):
    running.set("slow.delay=150ms")
    done = guest.code("""
        import socket, sys, time
        s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
        begun = time.monotonic(); s.sendall(b"echo hi\\n"); s.recv(10)
        print(time.monotonic() - begun)
    """, peer.plain, out=running.out, config=SCENARIO % (peer.plain, peer.plain))
    assert done.json() >= 0.1495


BAD = [
    (("frob",), "'frob' is neither NAME.KEY=VALUE nor on, off or reset"),
    (("slow.delay=3",), "delay = '3': '3' has no unit; allowed: TIME, TIME jitter TIME"),
    (("slow.delay=",), "'delay' has no value"),
    (("slow.dely=3ms",), "unknown key 'dely' in [fault slow]; did you mean 'delay'?"),
    (("slwo.delay=3ms",), "the run has no fault 'slwo'; did you mean 'slow'?"),
    (("off", "solw"), "the run has no fault 'solw'; did you mean 'slow'?"),
    (("slow.error=EXDEV",), "error = 'EXDEV': recv cannot return it"),
    (("slow.hang=yes",), "'delay' and 'hang' cannot be in one fault"),
    (("slow.peer=:80",), "'peer' of 'slow' cannot be changed in a run"),
    (("slow.call=net.send",), "would also happen to send"),
    (("slow.process=x",), "'process' cannot be changed in a run"),
    (("slow.delay=none",), ""),
    (("slow.delay=100ms", "slow.count=0"), "count = '0'"),
    (("slow.delay=" + "9" * 300,), "too long"),
]


@pytest.mark.parametrize("words, said", BAD, ids=[" ".join(w)[:30] for w, _ in BAD])
def test_a_bad_change_changes_nothing(guest, peer, words, said):
    out = guest.code("pass", config=SCENARIO % (peer.plain, peer.plain)).out
    before = open(os.path.join(out, "control"), "rb").read()
    done = mishap("set", out, *words)
    assert done.returncode == 2 and said in done.stderr and done.stdout == ""
    assert open(os.path.join(out, "control"), "rb").read() == before


def test_what_is_no_run(tmp_path):
    for where, said in ((tmp_path, "holds no run"), (tmp_path / "no", "there is no directory"),
                        (os.getpid(), "does not run under mishap"), (4194305, "there is no process")):
        done = mishap("set", where, "off")
        assert done.returncode == 2 and said in done.stderr, done.stderr
        assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("content, said", [
    (b"MHCTL\r\n\0\x01\0\0\0" + b"\0" * 5000, "of another version of mishap"),
    (b"noise" * 999, "is not a run's"), (b"", "is not a run's")])
def test_a_page_of_another_version(guest, tmp_path, content, said):
    (tmp_path / "control").write_bytes(content)
    done = mishap("set", tmp_path, "off")
    assert done.returncode == 2 and said in done.stderr
    r = guest.code("print(1)", out=str(tmp_path), config="[fault f]\ncall = recv\ndelay = 1ms\n")
    assert r.status == 0 and r.stdout == "1\n"
    assert len(r.said) == 1 and said in r.said[0] and "nothing is recorded or injected" in r.said[0]
    assert (tmp_path / "control").read_bytes() == content
