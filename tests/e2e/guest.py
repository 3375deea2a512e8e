# SPDX-License-Identifier: Apache-2.0
"""Runs programs under the library (or bare) for the end-to-end tests: where things are, how a guest
is started, and the two promises about time that every latency test makes."""

import functools
import json
import os
import shutil
import subprocess
import sys
import textwrap
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.abspath(os.environ.get("MISHAP_BUILD", os.path.join(TREE, "build")))
LIBC = os.environ.get("MISHAP_LIBC", "GLIBC")  # MUSL in the suite of that name: a build that test_musl.py makes
PLACE = BUILD if LIBC == "GLIBC" else os.path.join(BUILD, "musl")
LIBRARY = os.path.join(PLACE, "lib", "libmishap.so" if LIBC == "GLIBC" else "libmishap-musl.so")
PROGRAMS = os.path.join(HERE, "programs")
# The distribution's interpreter carries the packages that clients are tested with.
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable

EARLY = 0.001  # how much earlier than promised anything may be
LATE = 0.75    # how much later it may be on a busy machine; figures are in tests/bench, not here


class TooEarly(Exception):
    """Something happened before its time: never the machine's fault, so never tried again."""


def between(value, low, high, what=""):
    """Never earlier than `low` (strict), and not later than `high` (a busy machine is forgiven once)."""
    if value < low - EARLY:
        raise TooEarly("%s: %.4f s, promised not before %.4f s" % (what, value, low))
    assert value <= high, "%s: %.4f s, later than %.4f s" % (what, value, high)


def timed(test):
    """Decorates a test of times: tried once more before it fails, unless something was early."""

    @functools.wraps(test)
    def again(*args, **kwargs):
        try:
            return test(*args, **kwargs)
        except AssertionError:
            time.sleep(1)
        return test(*args, **kwargs)

    return again


def has_module(name, python=PYTHON):
    return subprocess.run([python, "-c", "import " + name], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False).returncode == 0


class Result:
    def __init__(self, status, stdout, stderr, seconds, out):
        self.status, self.stdout, self.stderr = status, stdout, stderr
        self.seconds, self.out = seconds, out

    @property
    def said(self):
        """What mishap itself said on stderr."""
        return [line for line in self.stderr.splitlines() if line.startswith("mishap:")]

    def json(self):
        assert self.status == 0, "exit %s\n%s\n%s" % (self.status, self.stdout, self.stderr)
        return json.loads(self.stdout.splitlines()[-1])

    def events(self, kind=None):
        import mhr

        return [e for e in mhr.read_dir(self.out) if kind in (None, e["event"])]

    def faults(self):
        """Operations that a fault touched."""
        return [e for e in self.events("op") if e["fault"]]


class Guest:
    """Starts programs below one temporary directory; each run gets an output directory of its own."""

    def __init__(self, directory):
        self.directory, self.n = str(directory), 0

    def environment(self, config=None, under=True, out=None, **extra):
        env = {k: v for k, v in os.environ.items()
               if not k.startswith("MISHAP_") and k not in ("LD_PRELOAD", "PYTHONPATH")}
        if under:
            assert os.path.exists(LIBRARY), LIBRARY + " is not built"
            env["LD_PRELOAD"] = LIBRARY
            if out:
                env["MISHAP_OUT"] = out
            if config:
                env["MISHAP_CONFIG"] = config
        env.update({k: v for k, v in extra.items() if v is not None})
        return {k: v for k, v in env.items() if v != ""}

    def config(self, text):
        self.n += 1
        path = os.path.join(self.directory, "scenario%d.ini" % self.n)
        with open(path, "w", encoding="utf-8") as f:
            f.write(textwrap.dedent(text))
        return path

    def prepare(self, config=None, under=True, out=None, env=None):
        """(environment, output directory) of one run; `config` is a path or the text of a scenario."""
        self.n += 1
        if out is None:
            out = os.path.join(self.directory, "out%d" % self.n)
            os.mkdir(out)
        if config and "\n" in config:
            config = self.config(config)
        return self.environment(config, under, out, **(env or {})), out

    def command(self, argv, config=None, under=True, out=None, env=None, timeout=60, **popen):
        environment, out = self.prepare(config, under, out, env)
        begun = time.monotonic()
        done = subprocess.run(argv, env=environment, stdin=subprocess.DEVNULL, timeout=timeout,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, **popen)
        return Result(done.returncode, done.stdout.decode("utf-8", "replace"),
                      done.stderr.decode("utf-8", "replace"), time.monotonic() - begun, out)

    def start(self, argv, config=None, under=True, out=None, env=None, **popen):
        """A running process (the caller ends it) and its output directory."""
        environment, out = self.prepare(config, under, out, env)
        return subprocess.Popen(argv, env=environment, **popen), out

    def program(self, name, *args, python=PYTHON, **how):
        """One of programs/."""
        return self.command([python, os.path.join(PROGRAMS, name), *map(str, args)], **how)

    def code(self, text, *args, python=PYTHON, **how):
        """A few lines of Python."""
        return self.command([python, "-c", textwrap.dedent(text), *map(str, args)], **how)


def need(command):
    import pytest

    path = shutil.which(command)
    if not path:
        pytest.skip(command + " is not installed")
    return path


# What the short programs of the tests begin with: `connect()` to the peer and `ask()` it for a line
# that comes half a second late, either because the peer really waits or because mishap says so.
# A moment is taken before its question leaves: a peer may begin to count before send() has returned.
PRELUDE = """
import json, os, resource, select, signal, socket, ssl, struct, sys, threading, time
port, pause = int(sys.argv[1]), sys.argv[2]
now = time.monotonic
def connect(where=port):
    s = socket.create_connection(("127.0.0.1", where))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s
def ask(s, line="echo late"):
    asked = now()
    s.sendall(("pause %s\\n%s\\n" % (pause, line)).encode())
    return asked
def busy():
    r = resource.getrusage(resource.RUSAGE_SELF)
    return [r.ru_utime + r.ru_stime, r.ru_nvcsw + r.ru_nivcsw]
def reply(**what):
    print(json.dumps(what))
"""


class Late:
    """The same program twice: against a peer that is really late, and against one that mishap makes
    late. What holds for the first has to hold for the second."""

    def __init__(self, guest, peer, how, delay=0.5):
        self.guest, self.peer, self.injected, self.delay = guest, peer, how == "injected", delay

    def config(self, port, delay=None, extra=""):
        return ("[run]\nprocesses = *\n[fault late]\ncall = recv\npeer = 127.0.0.1:%d\ndelay = %dms\n%s\n"
                % (port, (delay or self.delay) * 1000, extra))

    def run(self, code, *args, delay=None, port=None, extra="", **how):
        delay, port = delay or self.delay, port or self.peer.plain
        text = PRELUDE + textwrap.dedent(code)
        if not self.injected:
            return self.guest.command([PYTHON, "-c", text, str(port), "%d" % (delay * 1000), *args],
                                      under=False, **how).json()
        r = self.guest.command([PYTHON, "-c", text, str(port), "0", *args],
                               config=self.config(port, delay, extra), **how)
        figures = r.json()
        assert r.faults(), "no fault was recorded"
        return figures
