# SPDX-License-Identifier: Apache-2.0
"""Outcomes beside those who look into a program, too: debuggers, coverage, profilers. They see what they
always see, and where there is room for only one we stand back and say so."""

import json
import os
import subprocess

import pytest

from guest import BUILD, PROGRAMS, has_module
from pythons import PROBE, every_python, minor, need_python, notes, run, steps

BESIDE = os.path.join(PROGRAMS, "beside.py")
FOLLOWED = ["born", "replaced", "handled"]


@pytest.mark.parametrize("who", ["trace", "settrace", "profile", "setprofile", "monitoring"])
@every_python
def test_they_see_what_they_always_see(python, who):
    path = need_python(python)
    if who == "monitoring" and minor(path) < 12:
        pytest.skip("no sys.monitoring before 3.12")
    bare, _ = run(path, "beside.py", who, 0)
    seen, events = run(path, "beside.py", who, 1)
    assert seen == bare and len(seen) > 3
    if "trace" in who and minor(path) < 12:
        assert steps(events) == [] and notes(events) == ["trace_taken"]
    else:
        assert [s[0] for s in steps(events)][:3] == FOLLOWED and notes(events) == []


def command(path, tmp_path, op, *how):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MISHAP_", "PYTHON"))}
    environment.update(PROBE=PROBE, PROBE_OUT=str(tmp_path), LD_PRELOAD=PROBE)
    return subprocess.run([path, *how, BESIDE, "nobody", str(op)], env=environment, check=True, timeout=60,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, cwd=tmp_path).stdout.decode()


@every_python
def test_pdb(python, tmp_path):
    """A breakpoint in the handler, a look at the exception, a step and the end."""
    path = need_python(python)
    script = ["-m", "pdb", "-c", "b go_on", "-c", "c", "-c", "up", "-c", "p 6 * 7", "-c", "c", "-c", "q"]
    bare = command(path, tmp_path, 0, *script)
    assert "42" in bare and "go_on()" in bare
    assert command(path, tmp_path, 1, *script) == bare


def test_coverage(tmp_path):
    path = need_python("distribution")
    if not has_module("coverage", path):
        pytest.skip("no coverage here")
    lines = []
    for op in (0, 1):
        command(path, tmp_path, op, "-m", "coverage", "run", "--branch", "--include=" + BESIDE)
        subprocess.run([path, "-m", "coverage", "json", "-q", "-o", "c.json"], check=True, cwd=tmp_path)
        with open(tmp_path / "c.json", encoding="utf-8") as f:
            (found,) = json.load(f)["files"].values()
        lines.append((found["executed_lines"], found["executed_branches"]))
    assert lines[0] == lines[1] and len(lines[0][0]) > 20


FAILING = """
    import socket
    a = socket.create_server(("127.0.0.1", 0))
    c = socket.create_connection(a.getsockname())
    a.accept()[0].send(b"x")
    try:
        c.recv(1)
    except ConnectionResetError:
        print('"reset"')
"""
RESET = """
    [run]
    outcomes = %s
    [fault reset]
    call = recv
    side = client
    error = ECONNRESET
"""


@pytest.mark.parametrize("outcomes", ["yes", "no"])
def test_it_can_be_switched_off(guest, outcomes):
    result = guest.code(FAILING, config=RESET % outcomes)
    assert result.json() == "reset"
    events = result.events()
    (fault,) = result.faults()
    found = [s[0] for s in steps(events, fault["op"])]
    assert found == (["born", "handled"] if outcomes == "yes" else [])
    assert notes(events) == ([] if outcomes == "yes" else ["no_outcome"])


def test_who_stands_back_says_so_in_the_report(guest):
    path = need_python("distribution")
    if minor(path) >= 12:
        pytest.skip("both have room from 3.12 on")
    result = guest.code("import sys; sys.settrace(lambda *a: None)\n" + "import textwrap; exec(textwrap.dedent('''"
                        + FAILING + "'''))", python=path, config=RESET % "yes")
    assert result.json() == "reset"
    report = subprocess.run([os.path.join(BUILD, "tools", "mishap"), "report", "--format", "json", result.out],
                            check=False, stdout=subprocess.PIPE).stdout
    assert any("somebody else traces" in s for s in json.loads(report)["blind_spots"])
