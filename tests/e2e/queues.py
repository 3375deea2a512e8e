# SPDX-License-Identifier: Apache-2.0
"""What the tests of task queues share: a broker, a worker under the library, and its report."""

import contextlib
import glob
import json
import os
import subprocess
import time

import mhr
from guest import BUILD, PROGRAMS, need

MISHAP = os.path.join(BUILD, "tools", "mishap")


def free_port():
    import socket

    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def ended(process, grace=20):
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(grace)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(what, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("did not happen within %d s" % seconds)


@contextlib.contextmanager
def redis_server(directory):
    """Yields "redis://127.0.0.1:PORT/", to which the number of a database is added."""
    server, port = need("redis-server"), free_port()
    with ended(subprocess.Popen([server, "--port", str(port), "--save", "", "--bind", "127.0.0.1"],
                                stdout=subprocess.DEVNULL, cwd=str(directory))):
        wait_for(lambda: subprocess.run(["redis-cli", "-p", str(port), "ping"], check=False,
                                        stdout=subprocess.PIPE).stdout == b"PONG\n")
        yield "redis://127.0.0.1:%d/" % port


class Worker:
    """A worker under the library; `client` is a command that sends it tasks and prints their ids."""

    def __init__(self, guest, argv, client, config=None, **env):
        self.guest, self.client = guest, client
        self.env = {"PYTHONPATH": PROGRAMS, "PYTHONDONTWRITEBYTECODE": "1", **env}
        self.log = os.path.join(guest.directory, "worker.log")
        with open(self.log, "w", encoding="utf-8") as log:
            self.process, self.out = guest.start(argv, config=config, env=self.env, stdout=log,
                                                 stderr=log, cwd=guest.directory)

    def send(self, *calls):
        done = self.guest.command([*self.client, *calls], under=False, env=self.env)
        assert done.status == 0, done.stderr
        return done.stdout.split()

    def events(self, kind):
        return [e for e in mhr.read_dir(self.out) if e["event"] == kind]

    def report(self):
        done = subprocess.run([MISHAP, "report", self.out, "--format", "json"], check=True,
                              stdout=subprocess.PIPE)
        return json.loads(done.stdout)

    def keeps(self, secret):
        """Is this text anywhere in the recordings?"""
        found = False
        for path in glob.glob(os.path.join(self.out, "*.mhr")):
            with open(path, "rb") as f:
                found = found or secret in f.read()
        return found


def runs_of(report, ids):
    """States of the runs of each id, in time."""
    units = sorted((u for u in report["units"] if u["kind"] == "task"), key=lambda u: u["start_s"])
    return [[u["state"] for u in units if u["id"] == i] for i in ids]
