# SPDX-License-Identifier: Apache-2.0
"""Greenlets: each is one of many on a thread, and is told apart from the others. What became of an error in
one, whose request it works for, and what it is called."""

import os
import subprocess

import pytest
from guest import PROGRAMS, PYTHON, has_module
from pythons import FOUND, minor, steps
from queues import ended, free_port, wait_for
from test_units_http import open_port
from test_units_pools import LATE, _calls, _judge, _load, peers  # noqa: F401
from venvs import python_with

REFUSED = "ConnectionRefusedError"
WHEEL = "gevent==26.9.0"
BEGIN = """
from gevent import monkey; monkey.patch_all()
import sys
import gevent, socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
nobody = s.getsockname()

def fail():
    socket.create_connection(nobody)

"""

HANDLED = """
def work():
    try:
        fail()
    except OSError:
        gevent.sleep(0)
        return 1
gevent.joinall([gevent.spawn(work)])
"""

DIED = """
gevent.joinall([gevent.spawn(fail)])
"""

GOT = """
def main():
    g = gevent.spawn(fail)
    try:
        g.get()
    except OSError:
        return 1
main()
"""

AT_ONCE = """
def one():
    try:
        fail()
    except OSError:
        gevent.sleep(0.02)
        return 1

def passes():
    try:
        fail()
    except OSError:
        gevent.sleep(0.01)
        raise

def other():
    try:
        passes()
    except OSError:
        return 1

def third():
    try:
        fail()
    except OSError as e:
        gevent.sleep(0.015)
        raise ValueError("no") from e

gevent.joinall([gevent.spawn(f) for f in (one, other, third, one, other)])
"""

LIMITS = """
peer = socket.socket()
peer.bind(("127.0.0.1", 0))
peer.listen(5)
kept = []

def serve():
    while True:
        kept.append(peer.accept()[0])
        kept[-1].sendall(b"x")

gevent.spawn(serve)

def plain(seconds):
    c = socket.create_connection(peer.getsockname(), seconds)
    try:
        c.recv(1)
    except OSError:
        return 1

def around(seconds):
    c = socket.create_connection(peer.getsockname())
    try:
        with gevent.Timeout(seconds):
            c.recv(1)
    except gevent.Timeout:
        return 1

gevent.joinall([gevent.spawn(plain, 0.2), gevent.spawn(around, 0.3), gevent.spawn(plain, 0.4)])
"""
HANG = """
    [fault hang]
    call = recv
    side = client
    hang = yes
"""

BARE = """
import greenlet
def main():
    g = greenlet.greenlet(fail)
    try:
        g.switch()
    except OSError:
        return 1
main()
"""


@pytest.fixture(params=["distribution", *(v for v in ("3.10", "3.12", "3.13") if FOUND[v])])
def python(request):
    """By a trace function and by sys.monitoring; the distribution's packages, and those of PyPI elsewhere."""
    if request.param != "distribution":
        return python_with(WHEEL, python=FOUND[request.param])
    if not has_module("gevent"):
        pytest.skip("python3-gevent is not installed")
    return PYTHON


def _run(guest, python, code):
    """For each error what became of it, from where it left create_connection() on; all events."""
    result = guest.code(BEGIN + code, python=python)
    assert result.status == 0, result.stderr
    events = result.events()
    assert [e for e in events if e["event"] == "note"] == []
    found = []
    for op in [e for e in events if e["event"] == "op" and e["err"] == 111]:
        told = [(s[0], s[1], s[2], s[4]) for s in steps(events, op["op"])]
        assert told[0][:2] == ("born", REFUSED)
        found.append([s for s in told[1:] if s[2] != "create_connection"])
    return found, events, result.stderr


def _line(code, text, nth=1):
    lines = (BEGIN + code).splitlines()
    return [n for n, line in enumerate(lines, 1) if text in line][nth - 1]


def test_an_error_that_is_handled(guest, python):
    (found,), _, _ = _run(guest, python, HANDLED)
    assert found == [("handled", REFUSED, "work", _line(HANDLED, "except OSError"))]


def test_an_error_that_ends_a_greenlet(guest, python):
    """gevent's hub prints it; that goes to nobody."""
    (found,), _, said = _run(guest, python, DIED)
    assert "failed with " + REFUSED in said
    line = _line(DIED, "create_connection")
    assert found == [("unhandled", REFUSED, "fail", line), ("lost", REFUSED, "fail", line)]


def test_an_error_that_is_asked_for(guest, python):
    """What was printed is raised again in another greenlet, which handles it."""
    (found,), _, _ = _run(guest, python, GOT)
    assert [s[0] for s in found] == ["unhandled", "lost", "reraised", "handled"]
    assert found[-1] == ("handled", REFUSED, "main", _line(GOT, "except OSError"))


def test_errors_at_once_are_kept_apart(guest, python):
    found, events, _ = _run(guest, python, AT_ONCE)
    handled = ("handled", REFUSED, "one", _line(AT_ONCE, "except OSError", 1))
    passed = [("reraised", REFUSED, "passes", _line(AT_ONCE, "        raise")),
              ("handled", REFUSED, "other", _line(AT_ONCE, "except OSError", 3))]
    died = [found.pop(n) for n, steps_ in enumerate(found) if steps_[0][0] == "replaced"]
    assert [s[:3] for s in died[0]] == [(step, "ValueError", "third") for step in ("replaced", "unhandled", "lost")]
    assert died[0][0][3] == _line(AT_ONCE, "raise ValueError")
    assert sorted(found) == sorted([[handled], [handled], passed, passed])
    # and by greenlet: of each one error, and all steps in the one of its call
    ops = {e["op"]: e["task"] for e in events if e["event"] == "op" and e["err"] == 111}
    assert len(set(ops.values())) == 5 and all(task & 1 for task in ops.values())
    assert all(e["task"] == ops[e["op"]] for e in events if e["event"] == "outcome")
    names = {e["task"]: e["tail"].split("\t")[1] for e in events if e["event"] == "name" and e["task"]}
    assert sorted(names[task] for task in ops.values()) == ["one", "one", "other", "other", "third"]


def test_limits_that_end_a_hang(guest, python):
    """Each is its own greenlet's, whatever it is made of."""
    result = guest.code(BEGIN + LIMITS, python=python, config=HANG)
    assert result.status == 0, result.stderr
    events = result.events()
    found = [[(s[0], s[1].split(".")[-1], s[2].split(".")[-1]) for s in steps(events, e["op"])]
             for e in events if e["event"] == "op" and e["fault"]]
    limit = "timeout" if minor(python) < 10 else "TimeoutError"
    assert sorted(found) == sorted([
        [("born", limit, "recv"), ("handled", limit, "plain")],
        [("born", limit, "recv"), ("handled", limit, "plain")],
        [("born", "Timeout", "recv"), ("handled", "Timeout", "around")]])


def test_a_greenlet_without_a_hub(guest, python):
    """What ends it is raised in its parent, and the thread has no loop: it is no task."""
    (found,), events, _ = _run(guest, python, BARE)
    assert [s[0] for s in found] == ["unhandled", "reraised", "handled"]
    assert found[-1][2:] == ("main", _line(BARE, "except OSError"))
    assert {e["task"] for e in events if e["event"] == "op"} == {0}


def test_classes_of_greenlets_are_made_as_ever(guest, python):
    """Some were there before our functions were put in place, which the listener does."""
    done = guest.code("""
        import greenlet, socket
        class Plain(greenlet.greenlet): pass
        s = socket.create_server(("127.0.0.1", 0))
        class New(Plain):
            def __new__(cls, *a): return super().__new__(cls)
            def __init__(self, f): super().__init__(f)
        class Direct(Plain):
            def __init__(self, f): greenlet.greenlet.__init__(self, f)
        print([K(lambda: K.__name__).switch() for K in (greenlet.greenlet, Plain, New, Direct)])
    """, python=python)
    assert done.status == 0, done.stderr
    assert eval(done.stdout) == ["greenlet", "Plain", "New", "Direct"]


@pytest.mark.parametrize("server", ["pywsgi", "gunicorn"])
def test_each_call_is_its_own_request_s(guest, peers, server):  # noqa: F811
    for module in ("gevent", *(["gunicorn"] if server == "gunicorn" else [])):
        if not has_module(module):
            pytest.skip("python3-%s is not installed" % module)
    port = free_port()
    argv = [PYTHON, os.path.join(PROGRAMS, "greenlet_app.py"), str(port)]
    if server == "gunicorn":
        argv = [PYTHON, "-m", "gunicorn", "-k", "gevent", "-w", "1", "-b", "127.0.0.1:%d" % port, "greenlet_app:app"]
    kinds = ["direct", "spawned", "pool", "nested", "background"]
    paths = ["/%s-%s" % (kind, which) for which in "ab" for kind in kinds]
    process, out = guest.start(argv, config=LATE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               cwd=guest.directory,
                               env={"PYTHONPATH": PROGRAMS, "PEERS": " ".join(map(str, peers[:len(paths)]))})
    with ended(process):
        wait_for(lambda: open_port(port))
        _load(port, paths)
        wait_for(lambda: sum(n for (route, _), n in _calls(out).items() if route is None) > 0)
    _judge(_calls(out), peers[:len(paths)], paths)
