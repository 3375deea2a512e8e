# SPDX-License-Identifier: Apache-2.0
"""Budgets of memory and refused allocations in real interpreters, and allocators left as they were
when nothing is refused."""

import glob
import os

import mhr
import pytest
from guest import PROGRAMS, PYTHON
from pythons import FOUND, every_python

JEMALLOC = next(iter(glob.glob("/usr/lib/*/libjemalloc.so.2")), None)
MIB = 1 << 20

BUDGET = """
    [fault tight]
    call = memory
    memory = %s
    """

HOARD = """
import json, sys
def hoard(size):
    held = []
    try:
        while len(held) * size < 1 << 30:
            held.append(bytes(size))
    except MemoryError:
        return len(held) * size
    return None
"""


def run(guest, code, config=None, python=PYTHON, **more):
    return guest.command([python, "-c", HOARD + code], config, **more)


def refusals(result):
    return [e for e in result.faults() if e["effect"] == mhr.EFFECT["memory"] + 1]


@pytest.mark.parametrize("size", [MIB, 100000, 2000])
def test_large_blocks_end_at_the_budget_and_the_program_lives_on(guest, size):
    done = run(guest, """
n = hoard(%d)
again = hoard(%d)
print(json.dumps([n, again, len([str(i) for i in range(200000)])]))
""" % (size, size), BUDGET % "64MiB")
    first, again, strings = done.json()
    assert 40 * MIB < first <= 64 * MIB
    assert abs(again - first) < 8 * MIB, "what was given back is there again"
    assert strings == 200000
    faults = refusals(done)
    assert faults and all(e["err"] == 12 and e["result"] == -1 for e in faults)
    assert {e["kind"] for e in faults} <= {mhr.OP["malloc"], mhr.OP["mmap"]}
    assert any(e["asked"] >= size for e in faults)
    assert any("hoard" in e["tail"] for e in done.events("stack"))
    assert done.events("exit")[0]["allocations"] >= len(faults)


def test_small_objects_end_a_little_later(guest):
    done = run(guest, """
held = []
try:
    while len(held) < 20000000:
        held.append(len(held) + .5)
except MemoryError:
    n, held = len(held), None
    print(json.dumps(n))
""", BUDGET % "64MiB")
    assert 500000 < done.json() < 2500000
    kinds = {e["kind"] for e in refusals(done)}
    assert mhr.OP["mmap"] in kinds, "arenas were refused"


def test_records_of_refusals_are_few_and_the_count_is_whole(guest):
    done = run(guest, """
held = bytes(40 * 1048576)
n = 0
for i in range(5000):
    try:
        bytes(40 * 1048576)
    except MemoryError:
        n += 1
print(n)
""", BUDGET % "64MiB")
    assert done.json() == 5000
    assert 64 <= len(refusals(done)) <= 64 * (2 + done.seconds)
    assert done.events("exit")[0]["allocations"] >= 5000


def test_start_up_is_spared(guest):
    done = guest.code("""
        try:
            bytes(100000)
        except MemoryError:
            print("1")
        """, config=BUDGET % "1MiB")
    assert done.json() == 1
    assert refusals(done)
    # A stack's last frame is its outermost, and while site is imported that is the machinery.
    assert not any("importlib" in e["tail"].splitlines()[-1] for e in done.events("stack"))


def test_refused_only_in_its_time(guest):
    code = "import time; a = hoard(1048576); time.sleep(1.2); print(json.dumps([a, hoard(1048576)]))"
    early, late = run(guest, code, BUDGET % "64MiB" + "    after = 1s\n").json()
    assert early is None or early > 64 * MIB
    assert 40 * MIB < late <= 64 * MIB


def test_forked_child_has_what_its_parent_holds(guest):
    done = run(guest, """
import os
held = bytes(30 * 1048576)
r, w = os.pipe()
if os.fork() == 0:
    os.write(w, b"%d" % hoard(1048576))
    os._exit(0)
os.wait()
print(json.dumps([int(os.read(r, 100)), hoard(1048576)]))
""", BUDGET % "64MiB")
    child, parent = done.json()
    assert 10 * MIB < child <= 34 * MIB and 10 * MIB < parent <= 34 * MIB
    assert len({e["pid"] for e in done.events("process")}) == 2


def test_threads(guest):
    done = run(guest, """
import threading
got = []
def work():
    for i in range(20):
        got.append(hoard(1048576) is not None)
threads = [threading.Thread(target=work) for _ in range(4)]
for t in threads: t.start()
for t in threads: t.join()
print(json.dumps([len(got), all(got), hoard(1048576)]))
""", BUDGET % "64MiB")
    n, every, alone = done.json()
    assert n == 80 and every
    assert alone > 40 * MIB, "nothing counted was lost"


def test_mappings_fail_without_a_budget(guest):
    done = guest.code("""
        import json, mmap, sys
        got, program = [], open(sys.executable, "rb")
        for fd in -1, program.fileno():
            try:
                mmap.mmap(fd, 1 << 20, prot=mmap.PROT_READ)
                got.append(0)
            except OSError as e:
                got.append(e.errno)
        print(json.dumps(got))
        """, config="""
        [fault unmapped]
        call = mmap
        error = ENOMEM
        """)
    assert done.json() == [12, 12]
    assert {e["effect"] for e in done.faults()} == {mhr.EFFECT["error"] + 1}


@pytest.mark.parametrize("config", [None, BUDGET % "900MiB"], ids=["idle", "counting"])
def test_allocators_answer_as_bare(guest, config):
    argv = [PYTHON, os.path.join(PROGRAMS, "allocate.py")]
    assert guest.command(argv, config).json() == guest.command(argv, under=False).json()


@pytest.mark.skipif(not JEMALLOC, reason="libjemalloc2 is not installed")
@pytest.mark.parametrize("first", [True, False], ids=["mishap-first", "jemalloc-first"])
@pytest.mark.parametrize("config", [None, BUDGET % "64MiB"], ids=["idle", "budget"])
def test_beside_jemalloc(guest, config, first):
    from guest import LIBRARY

    both = [LIBRARY, JEMALLOC] if first else [JEMALLOC, LIBRARY]
    done = run(guest, """
import threading, subprocess
n = hoard(1048576)
t = threading.Thread(target=hoard, args=(1000000,)); t.start(); t.join()
print(json.dumps([n, subprocess.run(["true"]).returncode]))
""", config, env={"LD_PRELOAD": " ".join(both)})
    n, status = done.json()
    assert status == 0
    if config and first:  # else malloc is jemalloc's, and we never see it
        assert 40 * MIB < n <= 64 * MIB and refusals(done)
    elif not config:
        assert n is None
    assert done.events("process") and not done.said


def test_no_fault_counts_nothing(guest):
    done = run(guest, "print(json.dumps(hoard(1048576)))")
    assert done.json() is None
    assert done.events("exit")[0]["allocations"] == 0


@every_python
@pytest.mark.parametrize("limit", ["1MiB", "10MiB"])
def test_every_interpreter_starts_and_ends_within_any_budget(guest, python, limit):
    """However little there is: what fails is the program, by MemoryError, and never the interpreter's own
    start or end, which would be an abort."""
    program = FOUND[python] or pytest.skip("no CPython " + python)
    done = run(guest, """
import atexit, threading
class Late:
    def __del__(self): self.x = [bytes(50) for _ in range(2000)]
late = Late()
atexit.register(lambda: sys.stdout.flush())
threads = [threading.Thread(target=hoard, args=(70000,)) for _ in range(3)]
try:
    for t in threads: t.start()
    for t in threads: t.join()
    n = hoard(1048576)
except (MemoryError, RuntimeError):
    n = 0
sys.stdout.write("%d\\n" % n)
""", BUDGET % limit, python=program)
    assert done.status in (0, 1) and "Fatal Python error" not in done.stderr, done.stderr[-2000:]
    assert done.status or int(done.stdout) <= 10 * MIB
    assert refusals(done)


@every_python
def test_what_every_interpreter_holds_is_counted(guest, python):
    """Small objects come from arenas (mmap), what is larger than 512 bytes from malloc: both end at the
    budget, and 32 MiB of either are about 32 MiB."""
    program = FOUND[python] or pytest.skip("no CPython " + python)
    for size, what in ((100, "small"), (600, "large")):
        done = run(guest, """
held, n = [], 0
try:
    while n < 64 << 20:
        held.append(bytes(%d)); n += %d
except MemoryError:
    pass
del held
print(json.dumps(n))
""" % (size, size), BUDGET % "48MiB", python=program)
        assert 20 * MIB < done.json() < 56 * MIB, what
        kinds = {e["kind"] for e in refusals(done)}
        assert kinds & {mhr.OP["mmap"], mhr.OP["malloc"]}
