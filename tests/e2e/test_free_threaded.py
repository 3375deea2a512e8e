# SPDX-License-Identifier: Apache-2.0
"""A CPython without a GIL: its frames may not be read as others' are. It gives no stacks and no outcomes, says
so once in each process, and everything else is as ever, however many threads run at once."""

import collections

import pytest
from guest import Guest
from pythons import FREE_THREADED, need_probe, notes, run

import mhr

WHY = ("no free-threaded CPython here: tests/e2e/free-threaded-python builds one (./tests/run free-threaded), "
       "MISHAP_FREE_THREADED may name one")
THREADS, TIMES = 24, 100
MANY = """
import asyncio, os, socket, sys, threading, time
assert not sys._is_gil_enabled()
peer = socket.create_server(("127.0.0.1", 0), backlog=200)
went = []

def serve():
    while True:
        c, _ = peer.accept()
        c.sendall(b"x")
        c.close()

def work(n):
    for i in range(%d):
        try:
            with socket.create_connection(peer.getsockname(), 20) as c:
                c.recv(1)
            went.append("well")
        except ConnectionRefusedError:
            went.append("refused")
        with open(os.devnull, "w") as f:
            f.write("x")

async def task(n):
    await asyncio.sleep(0.001)
    try:
        r, w = await asyncio.open_connection(*peer.getsockname())
        await r.read(1)
        w.close()
        went.append("well")
    except ConnectionRefusedError:
        went.append("refused")

async def tasks():
    await asyncio.gather(*(task(n) for n in range(20)))

threading.Thread(target=serve, daemon=True).start()
threads = [threading.Thread(target=work, args=(n,)) for n in range(%d)]
threads += [threading.Thread(target=lambda: asyncio.run(tasks())) for _ in range(4)]
for t in threads:
    t.start()
for t in threads:
    t.join()
import json
print(json.dumps({k: went.count(k) for k in set(went)}))
"""
SOME = """
    [fault some]
    call = connect
    error = ECONNREFUSED
    probability = 25%
"""


@pytest.fixture(params=FREE_THREADED or [None])
def python(request):
    if not request.param:
        pytest.skip(WHY)
    return request.param


def test_a_capture_gives_nothing_said_once(python):
    need_probe()
    answers, events = run(python, "layout.py", "as-it-is")
    assert answers == [[0, 0, 0]] * 3
    assert notes(events) == ["no_stacks"]


def test_a_program_under_the_library(python, tmp_path):
    done = Guest(tmp_path).code("""
        import socket
        try: socket.create_connection(("127.0.0.1", 1))
        except ConnectionRefusedError: print("{}")
    """, python=python)
    assert done.json() == {}
    assert [e["stack"] for e in done.events("connect")] == [0] and not done.events("outcome")
    assert [e["code"] for e in done.events("note")] == [mhr.NOTE["no_stacks"]]


def test_many_threads_at_once(python, tmp_path):
    """Each connect is on record, and hit as often as the program says it was."""
    done = Guest(tmp_path).code(MANY % (TIMES, THREADS), python=python, config=SOME, timeout=120)
    assert done.status == 0, done.stderr
    went = done.json()
    assert went["well"] and went["refused"] and sum(went.values()) == THREADS * TIMES + 80
    events = done.events()
    count = collections.Counter(e["event"] for e in events)
    hit = [e for e in events if e["event"] == "op" and e["fault"]]
    assert len(hit) == went["refused"] and count["outcome"] == 0
    assert {e["stack"] for e in events if e["event"] in ("connect", "op", "wait")} == {0}
    assert {e["task"] for e in events if e["event"] in ("connect", "op", "wait")} == {0}
    assert [e["code"] for e in events if e["event"] == "note"] == [mhr.NOTE["no_stacks"]]


def test_each_child_says_it_once(python, tmp_path):
    done = Guest(tmp_path).code("""
        import multiprocessing, socket
        def work(n):
            for _ in range(3):
                try: socket.create_connection(("127.0.0.1", 1))
                except ConnectionRefusedError: pass
        if __name__ == "__main__":
            work(0)
            context = multiprocessing.get_context("fork")
            children = [context.Process(target=work, args=(n,)) for n in range(2)]
            [c.start() for c in children]
            [c.join() for c in children]
            print("[%d, %d]" % tuple(c.exitcode for c in children))
    """, python=python, config="[run]\nprocesses = *\n")
    assert done.json() == [0, 0], done.stderr
    said = collections.Counter(e["file_pid"] for e in done.events("note"))
    assert len(said) == 3 and set(said.values()) == {1}
