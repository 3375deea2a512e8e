# SPDX-License-Identifier: Apache-2.0
"""Exceptions that nobody will handle any more: their last step is `lost`, and only theirs."""

import json
import os
import subprocess

import pytest

from guest import BUILD, PYTHON
from pythons import every_python, minor, need_python, steps

REFUSED = "ConnectionRefusedError"
BEGIN = """
import asyncio, gc, logging, os, socket, sys, threading

s = socket.socket()
s.bind(("127.0.0.1", 0))
nobody = s.getsockname()

def fail():
    socket.create_connection(nobody)

async def work():
    fail()

"""

NEVER = """
async def main():
    tasks = [asyncio.ensure_future(work()) for _ in range(2)]
    await asyncio.sleep(0.02)
    try:
        await tasks[1]
    except OSError:
        pass
    del tasks
    gc.collect()
    await asyncio.sleep(0.02)
asyncio.run(main())
"""

CALLBACK = """
async def main():
    asyncio.get_running_loop().call_soon(fail)
    await asyncio.sleep(0.02)
asyncio.run(main())
"""

FINALIZER = """
class Session:
    def __del__(self):
        fail()
def use():
    Session()
    return 1
use()
"""

INHERITED = """
class Base:
    def __del__(self):
        fail()
class Session(Base):
    def __del__(self):
        try:
            super().__del__()
        except OSError:
            pass
def use():
    Session()
    return 1
use()
"""

THREAD = """
t = threading.Thread(target=fail)
t.start()
t.join()
"""

EXIT = """
def main():
    fail()
main()
"""

TIDY = """
def main():
    try:
        fail()
    except OSError:
        sys.exit(1)
main()
"""

POOL = """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(1) as pool:
    try:
        pool.submit(fail).result()
    except OSError:
        pass
"""


def _run(guest, python, code, status=0):
    result = guest.code(BEGIN + code, python=need_python(python))
    assert result.status == status, result.stderr
    events = result.events()
    ops = [e for e in events if e["event"] == "op" and e["err"] == 111]
    assert ops
    return [[(s[0], s[1], s[2].split(".")[-1]) for s in steps(events, op["op"])] for op in ops]


@every_python
def test_a_task_that_nobody_asks(guest, python):
    """Of two tasks that failed alike one is awaited."""
    lost, asked = _run(guest, python, NEVER)
    assert lost[-2:] == [("unhandled", REFUSED, "work"), ("lost", REFUSED, "work")]
    assert asked[-1] == ("handled", REFUSED, "main")


@every_python
def test_a_callback_of_the_loop(guest, python):
    """asyncio itself catches it, and its handler is told."""
    (found,) = _run(guest, python, CALLBACK)
    assert found[0][0] == "born" and found[-1][0] in ("handled", "lost")


@every_python
def test_a_finalizer(guest, python):
    (found,) = _run(guest, python, FINALIZER)
    assert found[0][0] == "born" and found[-1] == ("lost", REFUSED, "__del__")


@every_python
def test_a_finalizer_that_handles_what_it_inherits(guest, python):
    (found,) = _run(guest, python, INHERITED)
    assert "lost" not in [s[0] for s in found] and found[-1] == ("handled", REFUSED, "__del__")


@every_python
def test_a_thread(guest, python):
    (found,) = _run(guest, python, THREAD)
    assert [s[0] for s in found[-2:]] == ["unhandled", "lost"]


@pytest.mark.parametrize("code, last", [(EXIT, ["unhandled", "lost"]), (TIDY, ["replaced", "unhandled"])],
                         ids=["left", "exit"])
@every_python
def test_the_end_of_the_process(guest, python, code, last):
    (found,) = _run(guest, python, code, status=1)
    assert [s[0] for s in found[-2:]] == last


@every_python
def test_a_pool_hands_it_on(guest, python):
    (found,) = _run(guest, python, POOL)
    assert "lost" not in [s[0] for s in found]
    if minor(need_python(python)) >= 9:
        assert found[-1][0] == "handled"


ALONE = """
async def main():
    task = asyncio.ensure_future(work())
    await asyncio.sleep(0.02)
    %s
    del task
    gc.collect()
    await asyncio.sleep(0.02)
asyncio.run(main())
"""
ASKED = """try: await task
    except OSError: pass"""


@pytest.mark.parametrize("program,end", [
    (ALONE % "pass", "nobody: lost in work (app.py:12)"), (ALONE % ASKED, "main (app.py:"),
    (FINALIZER, "nobody: lost in "), ("fail()\n", "nobody: lost in <module> (app.py:")])
def test_the_report_tells_of_what_was_lost(tmp_path, program, end):
    """The journey of such an error ends with nobody, and says where; one that was handled does not."""
    (tmp_path / "app.py").write_text(BEGIN + program)
    subprocess.run([os.path.join(BUILD, "tools", "mishap"), "run", "-q", "-o", tmp_path / "out", "--report",
                    tmp_path / "r.json", "--", PYTHON, tmp_path / "app.py"], check=False, timeout=60,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    journeys = json.loads((tmp_path / "r.json").read_text())["journeys"]
    [handler] = [j["handler"] or "" for j in journeys if REFUSED in (j["exception"] or "")]
    assert handler.startswith(end) and "app.py:" in handler
