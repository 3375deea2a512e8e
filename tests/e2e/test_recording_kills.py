# SPDX-License-Identifier: Apache-2.0
"""What was recorded stays recorded: 500 processes are killed at random instants, and every call that they had
acknowledged is there. And what a recording does when it may not grow: faults are kept, the rest is counted."""

import glob
import json
import os
import random
import signal
import subprocess
import time

import mhr
from guest import BUILD, PRELUDE, PROGRAMS, PYTHON

MISHAP = os.path.join(BUILD, "tools", "mishap")
FIRES = "[run]\nprocesses = *\nrecording = 2MiB\n[fault f]\ncall = connect\nerror = ECONNREFUSED\n"
FORKED, STARTED = 440, 60


def faults_of(path):
    return [e for e in mhr.read(path) if e["event"] == "op" and e["fault"]]


def check(pid, threads, acks, out):
    """The faults of a killed process; its recording is removed, as hundreds of them are large."""
    paths = glob.glob(os.path.join(out, "*-%d-*.mhr" % pid))
    if not paths:
        assert acks == 0, pid  # killed before its recording was there
        return 0
    (path,) = paths
    try:
        faults = faults_of(path)
        assert mhr.header(path)["complete"] == 0
    except ValueError:  # killed before the recording had its head
        faults = []
    os.unlink(path)
    assert acks <= len(faults) <= acks + threads, (pid, threads)
    assert len({e["op"] for e in faults}) == len(faults)
    # what a thread had begun when it was killed may be missing, and nothing else
    assert max([e["ordinal"] for e in faults], default=-1) < len(faults) + threads
    return len(faults)


def test_500_kills_lose_nothing(guest, peer):
    """440 children of forks, with one to four threads, and 60 programs from their very start."""
    p, out = guest.start([PYTHON, os.path.join(PROGRAMS, "kills.py"), str(peer.plain), str(FORKED), "1"],
                         config=FIRES, stdout=subprocess.PIPE, text=True)
    kept, some, n = 0, 0, 0
    for line in p.stdout:
        found = check(*map(int, line.split()), out)
        kept, some, n = kept + found, some + (found > 0), n + 1
    assert p.wait() == 0 and n == FORKED
    dice = random.Random(2)
    code = PRELUDE + """
for _ in range(4000):  # more would not fit when the kill is late
    s = socket.socket()
    assert s.connect_ex(("127.0.0.1", port)) == 111
    os.write(1, b"."); s.close()
time.sleep(60)
"""
    for _ in range(STARTED // 4):
        running = [guest.start([PYTHON, "-S", "-c", code, str(peer.plain), "0"], config=FIRES, out=out,
                               stdout=subprocess.PIPE) for _ in range(4)]
        for p, _ in running:
            time.sleep(0.06 * dice.random())
            p.send_signal(signal.SIGKILL)
        for p, _ in running:
            acks = len(p.stdout.read())
            assert p.wait() == -9
            found = check(p.pid, 1, acks, out)
            kept, some, n = kept + found, some + (found > 0), n + 1
    print("%d kills, %d of processes that had recorded faults, %d faults, none lost" % (n, some, kept))
    assert n == 500 and some > 250 and kept > 2000


def test_a_limit_keeps_faults_and_counts_the_rest(guest, peer):
    """40,000 exchanges and 200 faults in 2 MiB: all of the faults, a sample of the others, and the report says so."""
    r = guest.command([PYTHON, "-c", PRELUDE + """
for i in range(200):
    s = connect()
    for _ in range(200):
        s.sendall(b"echo x\\n"); s.recv(100)
    s.close()
    try: open("/no/such/file-%d" % (i % 3), "w")
    except OSError: pass
""", str(peer.plain), "0"],
        config="[run]\nprocesses = *\nrecording = 2MiB\n[fault f]\ncall = open\npath = /no/**\nerror = EACCES\n")
    assert r.status == 0, r.stderr
    (path,) = glob.glob(os.path.join(r.out, "*.mhr"))
    assert 2 << 20 <= os.stat(path).st_size <= 3 << 20
    faults, head = faults_of(path), mhr.header(path)
    assert [e["ordinal"] for e in faults] == list(range(200))
    requests = [e for e in r.events("request")]
    kinds = {kind: len(r.events(kind)) for kind in ("request", "response", "connect", "close")}
    assert head["complete"] == 1 and head["lost"] >= head["sampled"] > 30000
    assert 2000 < kinds["request"] < 20000
    late = {e["conn"] for e in requests[len(requests) // 2:]}
    whole = {e["conn"] for e in r.events("close")} & {e["conn"] for e in r.events("connect")} & late
    assert whole, "what is kept near the limit is kept whole"
    done = subprocess.run([MISHAP, "report", r.out, "--format", "json"], stdout=subprocess.PIPE, check=True)
    report = json.loads(done.stdout)
    assert report["run"]["lost_events"] == head["lost"]
    assert any("%d routine events were left out" % head["sampled"] in spot for spot in report["blind_spots"])


def test_a_killed_process_has_told_what_it_left_out(guest, peer):
    """The header counts at once: it is not made at the end."""
    p, out = guest.start([PYTHON, "-u", "-c", PRELUDE + """
s = connect()
for i in range(40000):
    s.sendall(b"echo x\\n"); s.recv(100)
print("full"); time.sleep(60)
""", str(peer.plain), "0"], config="[run]\nprocesses = *\nrecording = 2MiB\n", stdout=subprocess.PIPE)
    assert p.stdout.readline() == b"full\n"
    p.kill()
    p.wait()
    (path,) = glob.glob(os.path.join(out, "*.mhr"))
    head = mhr.header(path)
    assert head["complete"] == 0 and head["lost"] >= head["sampled"] > 10000
