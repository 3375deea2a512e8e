# SPDX-License-Identifier: Apache-2.0
"""`mishap watch`: a run seen while it runs, by its directory or one of its processes."""
import json
import os
import pty
import select
import subprocess
import time

import pytest

from guest import BUILD

MISHAP = os.path.join(BUILD, "tools", "mishap")
PYTHON = "/usr/bin/python3"
APP = """import os, socket, time
server = socket.create_server(("127.0.0.1", 0))
port = server.getsockname()[1]
print(os.getpid(), port, flush=True)
while not os.path.exists("end"):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        server.accept()[0].close()
    except OSError as exc:
        pass
    time.sleep(0.05)
"""
SCENARIO = """[fault refuse]
call = connect
peer = 127.0.0.1
error = ECONNREFUSED
every = 2
[fault unused]
call = fsync
error = EIO
"""


def watch(*words):
    return subprocess.run([MISHAP, "watch", *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=60, check=False, stdin=subprocess.DEVNULL)


@pytest.fixture
def run(tmp_path):
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    (tmp_path / "x.ini").write_text(SCENARIO, encoding="utf-8")
    with subprocess.Popen([MISHAP, "run", "-c", "x.ini", "-o", "out", "--quiet", "--for", "60s", "--", PYTHON, "app.py"],
                          cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        pid, port = map(int, running.stdout.readline().split())
        end = time.monotonic() + 30
        while " refuse" not in (said := watch(tmp_path / "out").stdout) or f":{port}" not in said:
            assert time.monotonic() < end, said
            time.sleep(0.2)
        try:
            yield tmp_path, pid, port, running
        finally:
            (tmp_path / "end").touch()
            running.communicate(timeout=60)


def test_one_look(run):
    place, pid, port, _ = run
    done = watch(place / "out")
    assert done.returncode == 0 and not done.stderr, done.stderr
    lines = done.stdout.splitlines()
    assert all(len(line) <= 80 for line in lines[1:])
    fault = next(line.split() for line in lines if line.split()[:1] == ["refuse"])
    assert fault[1] == "on" and int(fault[2]) > 0
    assert next(line.split() for line in lines if line.split()[:1] == ["unused"])[2] == "0"
    peer = next(line.split() for line in lines if line.split()[:1] == [f"127.0.0.1:{port}"])
    assert int(peer[-2]) > 0
    assert any(line.split()[:2] == [str(pid), "alive"] for line in lines)


def test_by_process_and_switched_off(run):
    _, pid, _, _ = run
    subprocess.run([MISHAP, "set", str(pid), "off", "refuse"], check=True, stdout=subprocess.DEVNULL)
    line = next(line.split() for line in watch(pid).stdout.splitlines() if line.split()[:1] == ["refuse"])
    assert line[1] == "off"


def test_until_the_end_on_a_terminal(run):
    place, pid, _, _ = run
    ours, theirs = pty.openpty()
    with subprocess.Popen([MISHAP, "watch", place / "out", "--every", "200ms"], stdout=theirs, stdin=subprocess.DEVNULL,
                          env={**os.environ, "TERM": "xterm"}) as watching:
        os.close(theirs)
        said, ended, end = b"", False, time.monotonic() + 60
        while time.monotonic() < end:
            if not select.select([ours], [], [], 5)[0]:
                continue
            try:
                said += os.read(ours, 65536)
            except OSError:  # nobody writes any more
                break
            if not ended and said.count(b"alive") >= 2:
                ended = True
                (place / "end").touch()
        assert watching.wait(30) == 0
    os.close(ours)
    looks = said.split(b"\x1b[H\x1b[2J")
    assert b"running" in looks[1] and b"ended" in looks[-1] and b"exit 0" in looks[-1], looks[-1]


def test_json(run):
    place, pid, _, _ = run
    with subprocess.Popen([MISHAP, "watch", place / "out", "--json", "--every", "100ms"], stdout=subprocess.PIPE,
                          text=True) as watching:
        first, second = (json.loads(watching.stdout.readline()) for _ in range(2))
        watching.terminate()
    fired = [sum(c["fired"] for c in d["cases"] if c["fault"] == "refuse") for d in (first, second)]
    assert 0 < fired[0] <= fired[1] and first["processes"][0]["pid"] == pid


@pytest.mark.parametrize("words, message", [
    ([], "which run?"), (["a", "b"], "one run at a time"), (["/no/such"], "there is no directory '/no/such'"),
    (["999999999"], "there is no process 999999999"), (["--every", "1ms", "/tmp"], "no time from 100ms to 1h"),
    ([os.getpid()], "does not run under mishap"), (["/"], "'/' holds no run")])
def test_misuse(words, message):
    done = watch(*words)
    assert done.returncode == 2 and message in done.stderr, done.stderr
