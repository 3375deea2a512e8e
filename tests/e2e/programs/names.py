# SPDX-License-Identifier: Apache-2.0
"""Tasks and threads with names, each captured: names.py. Prints what Python calls them."""

import asyncio
import ctypes
import errno
import json
import os
import socket
import sys
import threading

probe = ctypes.PyDLL(os.environ["PROBE"])
said = {"tasks": [], "threads": {}}


def place():
    out = (ctypes.c_uint64 * 3)()
    probe.probe_place(out)
    return out[2]


class Special(asyncio.Task):
    pass


async def leaf():
    for _ in range(2):
        await asyncio.sleep(0)
        number = place()
    name = asyncio.current_task().get_name()
    said["tasks"].append([number, name])


async def middle():
    await asyncio.ensure_future(leaf())


async def gathered():
    await asyncio.gather(leaf(), leaf())


async def main():
    await leaf()
    named = asyncio.ensure_future(middle())
    named.set_name("named café")
    await named
    await asyncio.ensure_future(gathered())
    for _ in range(20):  # the addresses of those that ended serve again
        await asyncio.ensure_future(leaf())
    loop = asyncio.get_running_loop()
    loop.set_task_factory(lambda loop, coro, **kw: Special(coro, loop=loop, **kw))
    await loop.create_task(leaf())
    future = loop.create_future()
    loop.call_later(0.001, lambda: future.set_result(place()))
    assert await future == 0


def fail():
    s = socket.socket()
    probe.probe_arm(ctypes.c_int64(1), errno.ECONNRESET)
    try:
        s.recv(10)
    except OSError:
        said["threads"][threading.get_native_id()] = threading.current_thread().name


if sys.argv[1:] == ["uvloop"]:
    import uvloop

    uvloop.install()
asyncio.run(main())
fail()
for name in ("worker-1", "another one"):
    t = threading.Thread(target=fail, name=name)
    t.start()
    t.join()
print(json.dumps(said))
