# SPDX-License-Identifier: Apache-2.0
"""`mishap report --format trace`: the Trace Event Format as Perfetto and chrome://tracing read it."""

import collections
import json
import os
import struct
import subprocess

import mhr
from guest import BUILD, PRELUDE, PYTHON

MISHAP = os.path.join(BUILD, "tools", "mishap")


def trace(*words):
    done = subprocess.run([MISHAP, "report", *map(str, words), "--format", "trace"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def read(data):
    """A second reader: the structure as published, each event by what its phase demands."""
    whole = json.loads(data)
    assert set(whole) == {"displayTimeUnit", "otherData", "traceEvents"}
    ends = collections.Counter()
    for e in whole["traceEvents"]:
        assert isinstance(e["name"], str) and isinstance(e["pid"], int) and isinstance(e["tid"], int)
        assert isinstance(e["ts"], float) and e["ph"] in "XbeiM", e
        if e["ph"] == "X":
            assert e["dur"] >= 0
        elif e["ph"] == "i":
            assert e["s"] == "t"
        elif e["ph"] in "be":
            ends[e["cat"], e["id"], e["name"]] += 1 if e["ph"] == "b" else -1
        else:
            assert e["name"] == "process_name" and e["args"]["name"]
    assert not any(ends.values()), "every span has both of its ends"
    return whole["traceEvents"]


def run(guest, peer):
    r = guest.command([PYTHON, "-c", PRELUDE + """
import threading
def ask():
    for _ in range(4):
        s = connect()
        try: s.sendall(b"echo x\\n"); s.recv(100)
        except OSError: pass
        s.close()
threads = [threading.Thread(target=ask) for _ in range(2)]
for t in threads: t.start()
for t in threads: t.join()
time.sleep(0.06)
if os.fork() == 0: ask(); os._exit(0)
os.wait()
""", str(peer.plain), "0"],
        config="[run]\nprocesses = *\n[fault late]\ncall = recv\ncount = 1\ndelay = 50ms\n"
               "[fault broken]\ncall = recv\nskip = 2\ncount = 2\nerror = ECONNRESET\n")
    assert r.status == 0, r.stderr
    return r


def test_a_trace_is_what_was_recorded(guest, peer):
    r = run(guest, peer)
    events = read(trace(r.out))
    kinds = collections.Counter((e["cat"], e["ph"]) for e in events)
    assert kinds["__metadata", "M"] == 2 == len({e["pid"] for e in events})
    assert kinds["exchange", "b"] == len(r.events("response"))
    assert kinds["fault", "b"] + kinds["fault", "i"] == len(r.faults())
    names = {e["name"] for e in events}
    assert "fault late" in names and "fault broken" in names and "sleep" in names
    assert any(n.startswith("connect 127.0.0.1:%d" % peer.plain) for n in names)
    assert any(e["cat"] == "outcome" and e["name"].startswith("ConnectionResetError") for e in events)
    assert len({e["tid"] for e in events if e["cat"] == "exchange"}) >= 3
    late = {e["ph"]: e["ts"] for e in events if e["name"] == "fault late" and e["pid"] == events[0]["pid"]}
    assert abs(late["e"] - late["b"] - 50000) < 1


def test_hosts_are_aligned_by_wall_time(guest, peer, tmp_path):
    """The same recording as from a second host, whose clocks began elsewhere: an hour later by the wall."""
    r = run(guest, peer)
    (path,) = [os.path.join(r.out, n) for n in os.listdir(r.out)
               if n.endswith(".mhr") and any(e["event"] == "sleep" for e in mhr.read(os.path.join(r.out, n)))]
    with open(path, "rb") as f:
        data = bytearray(f.read())
    place = tmp_path / "both"
    place.mkdir()
    (place / "a-1-1.mhr").write_bytes(data)
    mono, wall = struct.unpack_from("=qq", data, 24)
    struct.pack_into("=qq", data, 24, mono - 10**12, wall - 10**12 + 3600 * 10**9)  # its clock began 1,000 s later
    data[48:112] = b"other".ljust(64, b"\0")
    (place / "b-1-1.mhr").write_bytes(data)
    events = read(trace(place))
    times = [[e["ts"] for e in events if e["pid"] == pid and e["ph"] != "M"] for pid in (1, 2)]
    assert len(times[0]) == len(times[1])
    assert all(abs(b - a - 3600e6) < 1 for a, b in zip(*times))
    done = subprocess.run([MISHAP, "report", place, "--format", "json"], stdout=subprocess.PIPE, check=True)
    processes = json.loads(done.stdout)["processes"]
    assert len(processes) == 2
    assert abs(json.loads(done.stdout)["run"]["duration_s"] - 3600) < 5


def test_a_trace_in_a_file_and_of_a_stored_report(guest, peer, tmp_path):
    r = run(guest, peer)
    assert trace(r.out, "-o", tmp_path / "t.json") == b""
    read((tmp_path / "t.json").read_bytes())
    assert os.listdir(tmp_path).count("t.json") == 1 and not [n for n in os.listdir(tmp_path) if n.endswith(".tmp")]
    (tmp_path / "report.json").write_text("{}")
    done = subprocess.run([MISHAP, "report", tmp_path / "report.json", "--format", "trace"], stderr=subprocess.PIPE,
                          check=False)
    assert done.returncode == 2 and b"made of recordings" in done.stderr


# What a process held before exec() counts as its own: the one that starts the command is a small one.
MEASURE = """
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
_, status, usage = os.wait4(pid, 0)
print(usage.ru_maxrss * 1024 if status == 0 else -1)
"""


def peak(path):
    """Bytes that the command held at most while it read this."""
    done = subprocess.run([PYTHON, "-S", "-E", "-c", MEASURE, MISHAP, "report", str(path), "--format", "trace"],
                          stdout=subprocess.PIPE, check=True)
    assert int(done.stdout) > 0
    return int(done.stdout)


def test_a_recording_is_not_held_in_memory(guest):
    code = """
import socket, sys
s = socket.create_server(("127.0.0.1", 0)); c = socket.create_connection(s.getsockname()); d, _ = s.accept()
for i in range(int(sys.argv[1])):
    c.send(b"x"); d.recv(1); d.send(b"y"); c.recv(1)
"""
    small, big = (guest.command([PYTHON, "-c", code, str(n)]).out for n in (10, 60000))
    size = sum(os.path.getsize(os.path.join(big, n)) for n in os.listdir(big) if n.endswith(".mhr"))
    assert size > 15 << 20
    assert peak(big) - peak(small) < size / 2
