# SPDX-License-Identifier: Apache-2.0
"""Calls of every shape with a capture at the bottom of each; prints what Python itself says of its
stack beside what the probe answered: shapes.py"""

import asyncio
import ctypes
import functools
import json
import os
import sys
import threading

probe = ctypes.CDLL(os.environ["PROBE"])
probe.probe_bench.restype = ctypes.c_int64
probe.probe_early.restype = probe.probe_foreign_thread.restype = ctypes.c_uint64
seen = []


def here(depth):
    """(name, qualified name where Python tells it, file, line) of the callers, innermost first."""
    frames, frame = [], sys._getframe(depth)
    while frame and len(frames) < 96:
        code = frame.f_code
        frames.append((code.co_name, getattr(code, "co_qualname", None), code.co_filename,
                       frame.f_lineno))
        frame = frame.f_back
    return frames


def place(shape):
    out = (ctypes.c_uint64 * 3)()
    probe.probe_place(out); frames = here(1)  # noqa: E702 - on one line: both must see the same
    seen.append({"round": rounds, "shape": shape, "stack": out[0], "site": out[1], "task": out[2], "frames": frames})
    return out[0]


def decorated(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper


class Client:
    @decorated
    def method(self, shape):
        return place(shape)

    @classmethod
    def build(cls):
        return place("classmethod")

    @staticmethod
    def static():
        return place("staticmethod")

    @property
    def value(self):
        return place("property")

    def closure(self):
        def inner():
            return self and place("closure")
        return inner()


class Special(Client):
    pass


class Opened:
    def __init__(self, shape):
        if shape:
            place(shape)


def open_often():
    # From 3.12 on a call that was made often enters __init__ by a frame of the interpreter's own.
    for i in range(500):
        Opened("constructor %d" % i if i in (0, 499) else "")


def recurse(n):
    return place("recursion") if n == 0 else recurse(n - 1)


def generate():
    for i in range(2):

        yield place("generator %d" % i)


def lines(x):
    # The current line is neither the first nor the last of its statement.
    y = [x,
         place("several lines"),
         x]
    while x:
        x = False
        try:

            raise KeyError(place("try"))
        except KeyError:
            y.append(place("except"))
        finally:
            place("finally")
    return (y
            and place("condition"))


async def awaited(shape):
    await asyncio.sleep(0)
    with_line = place(shape)
    return with_line


async def pages():
    for _ in range(2):
        await asyncio.sleep(0)
        yield place("asynchronous generator")


async def task(n):
    await awaited("task %d first" % n)
    async for _ in pages():
        pass
    await awaited("task %d last" % n)


async def tasks():
    await asyncio.gather(task(1), task(2))


def long_name_of_a_function_café():
    return place("not ascii")


made_up = compile("\n\nplace('exec')", "<made up>", "exec")


def run():
    place("function")
    Client().method("method")
    Special().method("inherited")
    Client.build()
    Client.static()
    Client().value
    Client().closure()
    open_often()
    (lambda: place("lambda"))()
    [place("list") for _ in range(2)]
    {k: place("dict") for k in range(1)}
    sum(place("generator expression") for _ in range(1))
    list(map(lambda x: place("through C"), [1]))
    sorted([2, 1], key=lambda x: place("sort key"))
    recurse(20)
    list(generate())
    lines(True)
    long_name_of_a_function_café()
    exec(made_up, {"place": place})
    thread = threading.Thread(target=place, args=("thread",))
    thread.start()
    thread.join()
    if sys.argv[1:] == ["uvloop"]:
        import uvloop

        loop = uvloop.new_event_loop()
        loop.run_until_complete(tasks())
    else:
        asyncio.run(tasks())
    sys.setrecursionlimit(5000)
    recurse(900)


def deep(n):
    return probe.probe_bench(20000) if n == 0 else deep(n - 1)


class Late:
    """Its end comes when the interpreter is being torn down."""

    def __del__(self):
        out = (ctypes.c_uint64 * 3)()
        probe.probe_place(out)


for rounds in range(4):
    run()
keep_until_the_end = Late()
probe.probe_init  # resolved before the end
print(json.dumps({"seen": seen, "early": probe.probe_early(),
                  "foreign": probe.probe_foreign_thread(), "ns": deep(28)}))
