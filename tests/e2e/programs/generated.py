# SPDX-License-Identifier: Apache-2.0
"""Calls through layers that are put together at random, with a capture at the bottom of each; prints what
Python itself says of its stack at that moment beside the id of ours: generated.py SEED COUNT"""

import contextlib
import ctypes
import functools
import json
import os
import random
import sys

probe = ctypes.CDLL(os.environ["PROBE"])
seen = []
LAYERS = []


def layer(function):
    """A layer is given what it has to call, and calls it somehow."""
    LAYERS.append(function)
    return function


def here(frame):
    frames = []
    while frame and len(frames) < 96:
        code = frame.f_code
        frames.append((code.co_name, getattr(code, "co_qualname", None), code.co_filename, frame.f_lineno))
        frame = frame.f_back
    return frames


def bottom():
    out = (ctypes.c_uint64 * 3)()
    probe.probe_place(out); frames = here(sys._getframe())  # noqa: E702 - on one line: both must see the same
    seen.append({"stack": out[0], "frames": frames})


@layer
def plain(below):
    below()


@layer
def recursion(below, n=3):
    return recursion(below, n - 1) if n else below()


@layer
def lambdas(below):
    (lambda f: (lambda: f())())(below)


@layer
def comprehension(below):
    [[below() for _ in range(1)] for _ in range(1)]


@layer
def set_and_dict(below):
    {below() for _ in range(1)}
    {k: 0 for k in (0,)}


@layer
def generator(below):
    def g():
        yield 1
        yield (
            below()
        )
    for _ in g():
        pass


@layer
def delegated(below):
    def inner():
        received = yield
        received()

    def outer():
        yield from inner()
    g = outer()
    next(g)
    with contextlib.suppress(StopIteration):
        g.send(below)


@layer
def expression(below):
    sum(0 for _ in (below() for _ in range(1)))


@layer
def decorated(below):
    def decorator(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            return function(*args, **kwargs)
        return wrapper

    @decorator
    @decorator
    def target():
        below()
    target()


class Thing:
    def __init__(self, below=None):
        self.below = below

    def method(self):
        self.below()

    @classmethod
    def build(cls, below):
        return cls(below).method()

    @staticmethod
    def static(below):
        below()

    @property
    def value(self):
        return self.below()

    def __getattr__(self, name):
        return self.below()

    def __lt__(self, other):
        self.below()
        return False

    def __enter__(self):
        self.below()

    def __exit__(self, *what):
        self.below = None

    def __call__(self):
        self.below()

    class Nested:
        def method(self, below):
            below()


class Derived(Thing):
    def method(self):
        super().method()


@layer
def methods(below):
    Derived(below).method()


@layer
def classmethods(below):
    Derived.build(below)


@layer
def staticmethods(below):
    Thing.static(below)


@layer
def properties(below):
    Thing(below).value


@layer
def attributes(below):
    Thing(below).nothing_of_this_name


@layer
def comparisons(below):
    sorted([Thing(below), Thing(below)])


@layer
def managers(below):
    with Thing(below):
        pass


@layer
def callables(below):
    Thing(below)()
    Thing.Nested().method(int)


@layer
def finalisers(below):
    class Gone:
        def __del__(self):
            below()
    Gone()


@layer
def c_map(below):
    list(map(lambda _: below(), [1]))


@layer
def c_key(below):
    sorted([1], key=lambda _: below())


@layer
def c_partial(below):
    functools.partial(functools.partial(below))()


@layer
def c_reduce(below):
    functools.reduce(lambda a, b: below(), [1, 2])


@layer
def executed(below):
    exec("\n\nfor i in range(1):\n  below(\n  )", {"below": below})


@layer
def evaluated(below):
    eval("[below()][0]", {"below": below})


@layer
def handler(below):
    try:
        raise KeyError()
    except KeyError:
        below()
    finally:
        str()


@layer
def coroutine(below):
    class Awaitable:
        def __await__(self):
            below()
            yield

    async def inner():
        await Awaitable()

    async def outer():
        await inner()
    c = outer()
    c.send(None)
    c.close()


@layer
def async_generator(below):
    async def pages():
        for _ in range(1):
            below()
            yield 1

    async def reader():
        async for _ in pages():
            pass
        return [x async for x in pages() if x]
    with contextlib.suppress(StopIteration):
        reader().send(None)


@layer
def matched(below):
    n = 0
    while n < 1:
        n += 1
        if n == 1 and \
                below():
            break
    else:
        str()


def main():
    draw = random.Random(int(sys.argv[1]))
    for n in range(int(sys.argv[2])):
        call = bottom
        for _ in range(draw.choice((2, 5, 12))):
            call = functools.partial(draw.choice(LAYERS), call)
        before = len(seen)
        call()
        del seen[before + 3:]
    print(json.dumps(seen))


main()
