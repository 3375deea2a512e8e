# SPDX-License-Identifier: Apache-2.0
"""Interpreters with packages of PyPI that the distribution does not have, made once per build directory."""

import fcntl
import hashlib
import os
import subprocess

import pytest
from guest import BUILD, PYTHON


def python_with(*pinned, python=PYTHON):
    """The interpreter of a venv of this one that has these "name==version"; skips the test where it cannot be
    made."""
    assert all("==" in p for p in pinned)
    name = hashlib.sha256(" ".join([*sorted(pinned), *([] if python == PYTHON else [python])]).encode()).hexdigest()[:12]
    place = os.path.join(BUILD, "venvs", name)
    made_by, python, done = python, os.path.join(place, "bin", "python"), os.path.join(place, "done")
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place + ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(done):
            for command in ([made_by, "-m", "venv", place],
                            [python, "-m", "pip", "-q", "--disable-pip-version-check", "install",
                             "--retries", "1", "--timeout", "10", *pinned]):
                try:
                    made = subprocess.run(command, check=False, stdout=subprocess.DEVNULL,
                                          stderr=subprocess.PIPE, timeout=900)
                except (OSError, subprocess.TimeoutExpired) as e:
                    pytest.skip("%s cannot be had: %s" % (" ".join(pinned), e))
                if made.returncode:
                    pytest.skip("%s cannot be had: %s" % (" ".join(pinned), made.stderr.decode()[-200:]))
            with open(done, "w", encoding="utf-8"):
                pass
    return python
