# SPDX-License-Identifier: Apache-2.0
"""A clock that is set: what says the time of day follows, what only counts does not."""

import os
import subprocess

import pytest

import mhr
from guest import BUILD, LIBRARY
from test_effects import ALL, run

HOUR = 3600
READ = {
    "time": "time.time()",
    "time_ns": "time.time_ns() / 1e9",
    "coarse": "time.clock_gettime(5)",
    "datetime": "datetime.datetime.now().timestamp()",
    "libc time": "c.time(None)",
    "gettimeofday": "timeofday()",
    "by number": "by_number()",
}
CLOCKS = """
import ctypes, datetime
c = ctypes.CDLL(None); c.time.restype = c.syscall.restype = ctypes.c_long
def timeofday():
    at = (ctypes.c_long * 2)(); c.gettimeofday(at, None)
    return at[0] + at[1] / 1e6
def by_number():
    at = (ctypes.c_long * 2)(); c.syscall(ctypes.c_long({"x86_64": 228}.get(os.uname().machine, 113)), 0, at)
    return at[0] + at[1] / 1e9
"""


@pytest.mark.parametrize("way", READ)
@pytest.mark.parametrize("step", ["1h", "-1h"])
def test_the_time_of_day(guest, way, step):
    """By each way in which it is asked, from the first reading on, and once on record."""
    r = run(guest, CLOCKS + """
counted = time.monotonic()
told = [%s for _ in range(5)]
reply(told=told, counted=counted, boot=time.clock_gettime(7))
""" % READ[way], ALL + "call = clock\nstep = %s\n" % step)
    begun = next(e for e in mhr.read_dir(r.out) if e["event"] == "process")
    wall, f = begun["wall_ns"] / 1e9, r.json()
    for told in f["told"]:
        assert abs(told - wall - (-HOUR if step[0] == "-" else HOUR)) < 120
    assert abs(f["counted"] - begun["started_at"] / 1e9) < 120 and f["boot"] >= f["counted"]
    assert len(r.faults()) == 1 and r.faults()[0]["effect"] == 1 + mhr.EFFECT["step"]
    (said,) = [e for e in mhr.read_dir(r.out) if e["event"] == "clock"]
    assert said["ahead"] == HOUR * 10 ** 9 * (-1 if step[0] == "-" else 1) and said["set_at"] <= said["at"]


def test_it_is_set_and_right_again(guest):
    """With `after` and `for`, in every thread alike, and in a child."""
    r = run(guest, """
        begun, seen = time.monotonic(), []
        first = time.time() - begun
        other = []
        def look():
            while time.monotonic() < begun + 1.2:
                other.append(round((time.time() - time.monotonic() - first) / 3600)); time.sleep(0.01)
        t = threading.Thread(target=look); t.start()
        child = None
        while time.monotonic() < begun + 1.2:
            seen.append(round((time.time() - time.monotonic() - first) / 3600)); time.sleep(0.01)
            if seen[-1] and child is None:
                r, w = os.pipe(); child = os.fork()
                if not child:
                    os.write(w, b"%d" % round((time.time() - time.monotonic() - first) / 3600)); os._exit(0)
                in_child = int(os.read(r, 10)); os.waitpid(child, 0)
        t.join()
        reply(seen=seen, other=other, in_child=in_child)
    """, "[run]\nprocesses = *\n[phase a]\nfor = 500ms\n[phase b]\nfor = 400ms\nfaults = f\n[phase c]\n"
         "[fault f]\ncall = clock\nstep = 2h\n")
    f = r.json()
    for seen in f["seen"], f["other"]:
        changes = [b for a, b in zip([None, *seen], seen) if a != b]
        assert changes == [0, 2, 0], changes
    assert f["in_child"] == 2
    mine = [e["ahead"] for e in mhr.read_dir(r.out) if e["event"] == "clock"]
    assert mine.count(0) == 1 and mine.count(2 * HOUR * 10 ** 9) == 2, "the child tells it, too"


def test_waits_until_a_time_of_day(guest):
    """Those that are hooked end when the program's clock says so, not an hour later."""
    r = run(guest, CLOCKS + """
class Spec(ctypes.Structure): _fields_ = [("s", ctypes.c_long), ("ns", ctypes.c_long)]
def soon(): return Spec(int(time.time() + 1), 0)
sem = ctypes.create_string_buffer(64); c.sem_init(sem, 0, 0)
took = []
for wait in (lambda: c.sem_timedwait(sem, ctypes.byref(soon())),
             lambda: c.clock_nanosleep(0, 1, ctypes.byref(soon()), None)):
    t = time.monotonic(); wait(); took.append(time.monotonic() - t)
reply(took=took)
""", ALL + "call = clock\nstep = 1h\n")
    assert all(t < 20 for t in r.json()["took"]), r.json()


def test_a_constructor_before_ours(guest, tmp_path):
    """A library that reads the clock before we have arrived, and one that is there without us."""
    source, so = tmp_path / "early.c", tmp_path / "early.so"
    source.write_text("#include <time.h>\n#include <sys/time.h>\nstruct timespec t; struct timeval v;\n"
                      "__attribute__((constructor(101))) static void early(void)\n"
                      "{ clock_gettime(CLOCK_REALTIME, &t); gettimeofday(&v, 0); time(0); }\n"
                      "int main(void) { return t.tv_sec < 1000000000 || v.tv_sec < 1000000000; }\n")
    subprocess.run(["cc", "-o", str(so), str(source)], check=True)
    assert BUILD and LIBRARY
    r = guest.command([str(so)], ALL + "call = clock\nstep = -1h\n")
    assert r.status == 0, r.stderr


@pytest.mark.parametrize("library", ["threading", "queue", "asyncio", "select"])
def test_limits_of_python_itself(guest, library):
    """They count; no step shortens them, and none lengthens them."""
    wait = {"threading": "threading.Event().wait(0.5)", "queue": "queue_wait()", "asyncio":
            "asyncio.run(asyncio.sleep(0.5))", "select": "select.select([], [], [], 0.5)"}[library]
    r = run(guest, """
        import asyncio, queue
        def queue_wait():
            try: queue.Queue().get(timeout=0.5)
            except queue.Empty: pass
        time.time(); t = time.monotonic(); %s; took = time.monotonic() - t; time.time()
        reply(took=took)
    """ % wait, ALL + "call = clock\nstep = -1h\nafter = 200ms\n")
    assert 0.49 <= r.json()["took"] < 20
    assert len(r.faults()) == 1


def test_nothing_is_read_differently_without_a_fault(guest):
    r = run(guest, "reply(gap=time.time() - (lambda t: t)(time.time()), pid=os.getpid())",
            ALL + "call = recv\nhang = yes\n")
    assert abs(r.json()["gap"]) < 60 and not r.faults()
    assert not [e for e in mhr.read_dir(r.out) if e["event"] == "clock"] and os.path.isdir(r.out)
