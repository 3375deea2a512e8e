# SPDX-License-Identifier: Apache-2.0
"""Every CPython of this machine that lib/python is to know, one a minor version: those of pyenv, those
that newer-pythons brought, and the distribution's own."""

import functools
import glob
import json
import os
import subprocess

import pytest

from guest import BUILD, PROGRAMS

import mhr

PROBE = os.path.join(BUILD, "tests", "e2e", "python_probe.so")
NEWER = os.path.join(BUILD, "newer-pythons")  # made by the script of this name
STEP = {number: name for name, number in mhr.STEP.items()}
NOTE = {number: name for name, number in mhr.NOTE.items()}


def _find():
    root = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    found = {}
    for minor in range(8, 16):
        builds = sorted(glob.glob(os.path.join(root, "versions", "3.%d.*" % minor, "bin", "python3")))
        if os.path.exists(os.path.join(NEWER, "done")):
            builds = builds or glob.glob(os.path.join(NEWER, "usr", "bin", "python3.%d" % minor))
        found["3.%d" % minor] = builds[-1] if builds else None
    found["distribution"] = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else None
    return found


FOUND = _find()


def _free_threaded():
    named = os.environ.get("MISHAP_FREE_THREADED")
    if named:
        return [named]
    root = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    places = [os.path.join(root, "versions", "3.*t", "bin"), os.path.join(BUILD, "free-threaded", "bin"),
              *os.environ.get("PATH", "").split(os.pathsep)]
    found = {}
    for place in places:
        for path in glob.glob(os.path.join(place, "python3.[0-9]*t")):
            if path[path.rindex(".") + 1:-1].isdigit():
                found.setdefault(os.path.basename(path), path)
    return sorted(found.values())


FREE_THREADED = _free_threaded()
every_python = pytest.mark.parametrize("python", list(FOUND))


@functools.lru_cache(None)
def minor(path):
    out = subprocess.run([path, "-c", "import sys; print(sys.version_info[1])"], check=True,
                         stdout=subprocess.PIPE).stdout
    return int(out)


def need_probe():
    if not os.path.exists(PROBE):
        pytest.fail(PROBE + " is not built")


def need_python(name):
    if not FOUND[name]:
        pytest.skip("no CPython %s here" % name)
    need_probe()
    return FOUND[name]


def run(python, program, *args, preload=True, status=0, env=None):
    """Runs programs/PROGRAM with the probe preloaded; (what it printed as JSON, its records)."""
    import tempfile

    with tempfile.TemporaryDirectory() as out:
        environment = {k: v for k, v in os.environ.items()
                       if not k.startswith(("MISHAP_", "PYTHON")) and k != "LD_PRELOAD"}
        environment.update({"PROBE": PROBE, "PROBE_OUT": out}, **(env or {}))
        if preload:
            environment["LD_PRELOAD"] = PROBE
        done = subprocess.run([python, os.path.join(PROGRAMS, program), *map(str, args)],
                              env=environment, timeout=60, stdin=subprocess.DEVNULL, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert done.returncode == status, (done.returncode, done.stderr.decode())
        lines = done.stdout.decode().splitlines()
        return json.loads(lines[-1]) if lines else None, mhr.read_dir(out)


def steps(events, op=1):
    """[(step, type, function, file, line), ...] of an operation."""
    out = []
    for e in events:
        if e["event"] == "outcome" and e["op"] == op:
            row = (e["tail"].split("\t") + [""] * 4)[:4]
            out.append((STEP[e["step"]], row[0], row[1], os.path.basename(row[2]), int(row[3] or 0)))
    return out


def notes(events):
    return [NOTE[e["code"]] for e in events if e["event"] == "note"]
