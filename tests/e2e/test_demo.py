# SPDX-License-Identifier: Apache-2.0
"""`tools/demo` as a user runs it, with short phases: a report, nothing left running, and Ctrl-C."""
import contextlib
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import time

import pytest

from guest import BUILD, TREE, has_module

DEMO = os.path.join(TREE, "tools", "demo")
pytestmark = pytest.mark.skipif(
    not shutil.which("redis-server") or not all(map(has_module, ("uvicorn", "fastapi", "redis", "httpx", "tenacity"))),
    reason="needs redis-server and Debian's uvicorn, fastapi, redis, httpx, tenacity")


def environment(mark):
    return {**os.environ, "MISHAP_BUILD": BUILD, "TEST_OF_DEMO": mark, "TERM": "xterm"}


def living(mark):
    """Processes of that run of the demo that live."""
    wanted, found = f"TEST_OF_DEMO={mark}".encode(), []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open(f"/proc/{entry}/environ", "rb") as f:
                if wanted in f.read().split(b"\0"):
                    found.append(int(entry))
    return found


@pytest.fixture
def mark(tmp_path):
    yield str(tmp_path)
    for pid in living(str(tmp_path)):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def report_of(text):
    """The demo's directory, by the path that it printed; removed afterwards by the caller."""
    found = re.search(r"The whole report: (\S+/report\.html)", text)
    assert found, text
    return pathlib.Path(found[1]).parent


def test_quick(mark):
    done = subprocess.run([DEMO, "--quick", "--keep"], env=environment(mark), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert living(mark) == []
    folder = report_of(done.stderr)
    try:
        report = json.loads((folder / "report.json").read_text())
        assert report["run"]["fired"] > 50
        assert report["findings"], "the shop has weaknesses"
        assert "<html" in (folder / "report.html").read_text()
        assert list((folder / "recordings").glob("*.mhr"))
        assert done.stdout.strip(), "the report goes to stdout"
    finally:
        shutil.rmtree(folder)


def test_control_c_still_gives_the_report(mark):
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(DEMO, [DEMO], environment(mark))
    seen, interrupted, end = b"", False, time.monotonic() + 120
    while time.monotonic() < end:
        if select.select([fd], [], [], 0.2)[0]:
            try:
                seen += os.read(fd, 65536)
            except OSError:  # everybody has closed the terminal
                break
        if not interrupted and re.search(rb"redis-slow +faults [1-9]", seen):
            os.write(fd, b"\x03")
            interrupted = True
    os.close(fd)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    text = seen.decode("utf-8", "replace")
    assert interrupted, text
    assert status == 0, text
    assert living(mark) == []
    folder = report_of(text)
    try:
        assert json.loads((folder / "report.json").read_text())["run"]["fired"] > 0
        assert not (folder / "recordings").exists()
    finally:
        shutil.rmtree(folder)


def test_misuse():
    done = subprocess.run([DEMO, "--frob"], stderr=subprocess.PIPE, text=True, timeout=10, check=False)
    assert done.returncode == 2 and "--frob" in done.stderr
