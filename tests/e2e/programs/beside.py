# SPDX-License-Identifier: Apache-2.0
"""A program that fails and goes on while somebody else looks at it: beside.py WHO OP. OP 0 is the same
failure without being followed. Prints what that somebody has seen of this file."""

import ctypes
import errno
import json
import os
import socket
import sys
import threading

probe = ctypes.PyDLL(os.environ["PROBE"])
OP = int(sys.argv[2])
NAMES = ("fail", "client", "request", "go_on", "pages")


def fail():
    s = socket.socket()
    probe.probe_arm(ctypes.c_int64(OP), errno.ECONNRESET)
    s.recv(10)


def client():
    try:
        fail()
    except OSError as e:
        raise RuntimeError("no answer") from e


def go_on():
    return sum(i for i in range(3))


def pages():
    for i in range(2):
        yield i


def request():
    try:
        client()
    except RuntimeError:
        go_on()
    return list(pages())


def trace():
    import trace

    t = trace.Trace(count=1, trace=0)
    t.runfunc(request)
    return sorted((line, n) for (file, line), n in t.results().counts.items() if file == __file__)


def settrace():
    """As debuggers do: in every thread, with lines, returns and exceptions of each frame."""
    seen = []

    def tracer(frame, event, arg):
        if frame.f_code.co_filename == __file__ and frame.f_code.co_name in NAMES:
            what = arg[0].__name__ if event == "exception" else None
            seen.append((frame.f_code.co_name, frame.f_lineno, event, what))
        return tracer
    threading.settrace(tracer)
    sys.settrace(tracer)
    request()
    t = threading.Thread(target=request)
    t.start()
    t.join()
    assert sys.gettrace() is tracer
    sys.settrace(None)
    return seen


def profile():
    import cProfile

    p = cProfile.Profile()
    p.runcall(request)
    p.create_stats()
    return sorted((name, calls) for (file, _, name), (_, calls, *_) in p.stats.items() if file == __file__)


def setprofile():
    seen = []

    def profiler(frame, event, arg):
        if frame.f_code.co_filename == __file__ and frame.f_code.co_name in NAMES:
            seen.append((frame.f_code.co_name, event))
    sys.setprofile(profiler)
    request()
    sys.setprofile(None)
    return seen


def monitoring():
    m, seen = sys.monitoring, []

    def note(event):
        def callback(code, *args):
            if code.co_filename == __file__ and code.co_name in NAMES:
                seen.append((event, code.co_name, args[0]))
        return callback
    m.use_tool_id(m.DEBUGGER_ID, "a debugger")
    events = "PY_START LINE PY_RETURN PY_YIELD RAISE RERAISE EXCEPTION_HANDLED PY_UNWIND".split()
    for event in events:
        m.register_callback(m.DEBUGGER_ID, getattr(m.events, event), note(event))
    m.set_events(m.DEBUGGER_ID, sum(getattr(m.events, e) for e in events))
    request()
    m.set_events(m.DEBUGGER_ID, 0)
    m.free_tool_id(m.DEBUGGER_ID)
    return seen


def nobody():
    request()


if __name__ == "__main__":
    found = globals()[sys.argv[1]]()
    print(json.dumps(found))
