# SPDX-License-Identifier: Apache-2.0
"""Long waits of threads for each other, as they are recorded: where, how long, with a limit or not, who let go."""

import pytest

import pythons
from guest import PYTHON

START = """
import os, queue, sys, threading, time
lock, cond, jobs = threading.%s(), threading.Condition(), queue.SimpleQueue()
def say(who):
    os.write(1, "{} {}\\n".format(who, threading.get_native_id()).encode())
def hold(taken):
    with lock:
        taken.set()
        time.sleep(0.4)
    say("owner")
def held(what):
    taken = threading.Event()
    t = threading.Thread(target=hold, args=(taken,))
    t.start()
    taken.wait()
    what()
    t.join()
def takes():
    with lock:
        say("waiter")
def limited():
    lock.acquire(timeout=5)
def gives_up():
    lock.acquire(timeout=0.2)
def quick():
    for _ in range(1000):
        with lock:
            pass
"""


def waits(guest, code, kind="Lock", python=PYTHON):
    r = guest.command([python, "-c", START % kind + code], timeout=30)
    assert r.status == 0, r.stderr
    said = dict(line.split() for line in r.stdout.splitlines())
    stacks = {e["stack"]: e["tail"].split("\t")[0] for e in r.events("stack")}
    return said, [(stacks[e["stack"]], e) for e in r.events("locked")]


@pytest.mark.parametrize("kind", ["Lock", "RLock"])
@pythons.every_python
def test_a_lock(guest, kind, python):
    said, found = waits(guest, "held(takes)", kind, pythons.need_python(python))
    (where, e), = [(where, e) for where, e in found if e["tid"] == int(said["waiter"]) and where == "takes"]
    assert 300e6 <= e["waited_ns"] and not e["limited"] and e["got"] and e["by"] == int(said["owner"])


def test_limits(guest):
    _, found = waits(guest, "held(limited)\nlock.release()\nheld(gives_up)")
    mine = {where: e for where, e in found if where in ("limited", "gives_up")}
    assert mine["limited"]["limited"] and mine["limited"]["got"] and mine["limited"]["by"]
    assert mine["gives_up"]["limited"] and not mine["gives_up"]["got"] and not mine["gives_up"]["by"]


def test_a_queue_is_told_by_its_place(guest):
    said, found = waits(guest, """
def gives():
    time.sleep(0.3)
    jobs.put(1)
    say("giver")
def asks():
    return jobs.get()
t = threading.Thread(target=gives); t.start(); asks(); t.join()
""")
    assert [e["by"] for where, e in found if where == "asks"] == [int(said["giver"])]


def test_what_is_short_leaves_no_trace(guest):
    assert not waits(guest, "quick()\nt = [threading.Thread(target=quick) for _ in range(4)]\n"
                            "[x.start() for x in t]; [x.join() for x in t]")[1]


def test_after_a_fork(guest):
    said, found = waits(guest, """
t = threading.Thread(target=jobs.get, daemon=True); t.start(); time.sleep(0.1)
pid = os.fork()
if not pid:
    held(takes)

    os._exit(0)
os.waitpid(pid, 0)
""")
    assert [e["by"] for where, e in found if where == "takes"] == [int(said["owner"])]
