# SPDX-License-Identifier: Apache-2.0
"""A run of a Celery task is a unit of work, in every pool: real workers, a real broker."""

import contextlib
import glob
import json
import os
import signal
import subprocess
import time

import mhr
import pytest
from guest import BUILD, PROGRAMS, PYTHON, has_module, need

MISHAP = os.path.join(BUILD, "tools", "mishap")
CALLS = ["count(1, 2)", "save('k', 'SECRET-value')", "fail()", "again('n')", "reject()", "in_a_thread('k')"]

pytestmark = pytest.mark.skipif(not has_module("celery") or not has_module("redis"),
                                reason="python3-celery or python3-redis is not installed")


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


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    server, port = need("redis-server"), free_port()
    with ended(subprocess.Popen([server, "--port", str(port), "--save", "", "--bind", "127.0.0.1"],
                                stdout=subprocess.DEVNULL,
                                cwd=str(tmp_path_factory.mktemp("redis")))):
        wait_for(lambda: subprocess.run(["redis-cli", "-p", str(port), "ping"], check=False,
                                        stdout=subprocess.PIPE).stdout == b"PONG\n")
        yield "redis://127.0.0.1:%d/" % port


class Worker:
    def __init__(self, guest, broker, number, *options, config=None, **env):
        self.guest, self.env = guest, {"BROKER": broker + str(number), "STORE": broker + str(number),
                                       "PYTHONPATH": PROGRAMS, "PYTHONDONTWRITEBYTECODE": "1", **env}
        self.log = os.path.join(guest.directory, "worker.log")
        with open(self.log, "w", encoding="utf-8") as log:
            self.process, self.out = guest.start(
                [PYTHON, "-m", "celery", "-A", "celery_jobs", "worker", "-l", "WARNING",
                 "--without-gossip", "--without-mingle", *options],
                config=config, env=self.env, stdout=log, stderr=log, cwd=guest.directory)

    def send(self, *calls):
        done = self.guest.command([PYTHON, os.path.join(PROGRAMS, "celery_jobs.py"), *calls], under=False,
                                  env=self.env)
        assert done.status == 0, done.stderr
        return done.stdout.split()

    def events(self, kind):
        return [e for e in mhr.read_dir(self.out) if e["event"] == kind]

    def report(self):
        done = subprocess.run([MISHAP, "report", self.out, "--format", "json"], check=True,
                              stdout=subprocess.PIPE)
        return json.loads(done.stdout)


def runs_of(report, ids):
    """States of the runs of each id, in time."""
    units = sorted((u for u in report["units"] if u["kind"] == "task"), key=lambda u: u["start_s"])
    return [[u["state"] for u in units if u["id"] == i] for i in ids]


@pytest.mark.parametrize("number, pool", enumerate(["prefork", "threads", "gevent", "solo"]))
def test_pools(guest, broker, number, pool):
    if pool == "gevent" and not has_module("gevent"):
        pytest.skip("python3-gevent is not installed")
    worker = Worker(guest, broker, number, "-P", pool, *([] if pool == "solo" else ["-c", "2"]))
    with ended(worker.process):
        ids = worker.send(*CALLS)
        wait_for(lambda: len([e for e in worker.events("request") if e["tail"] == "INCRBY"]) == 3)
        wait_for(lambda: [e for e in worker.events("request") if e["tail"] == "GET"])
        time.sleep(0.5)
    report = worker.report()
    count, save, fail, again, reject, in_a_thread = runs_of(report, ids)
    exact = pool == "prefork"

    if exact:
        assert (count, save, reject, in_a_thread) == (["succeeded"], ["succeeded"], ["rejected"], ["succeeded"])
        assert again == ["retried", "retried", "succeeded"]
    else:
        # a run that says nothing of its end is not said to have succeeded
        assert save == ["unknown"] and again == ["retried", "retried", "unknown"]
    assert fail == ["failed"]
    units = {u["id"]: u for u in report["units"]}
    assert units[ids[1]]["name"] == "celery_jobs.save" and units[ids[1]]["framework"] == "celery"
    assert units[ids[2]]["exception"] == ("KeyError" if exact else None)
    assert all(u["exact"] == exact for u in units.values())
    roles = [p["role"] for p in report["processes"]]
    assert "celery worker" in roles and roles.count("celery pool process") == (2 if exact else 0)

    # calls know their run: the SET is the save's, the consumer's own are nobody's
    begun = {(e["file_pid"], e["unit"]): e["tail"].split("\n") for e in worker.events("task_begin")}
    assert all(len(parts) == 3 and parts[0] == "celery" for parts in begun.values())
    for e in worker.events("request"):
        if e["tail"] in ("SET", "INCRBY") and e["unit"]:
            assert begun[e["file_pid"], e["unit"]][1] in ("celery_jobs.save", "celery_jobs.again")
        if e["tail"] == "BRPOP":
            assert not e["unit"]
    assert any(e["tail"] == "SET" and e["unit"] for e in worker.events("request"))
    for path in glob.glob(os.path.join(worker.out, "*.mhr")):
        with open(path, "rb") as f:
            assert b"SECRET" not in f.read(), "arguments and messages of errors are not kept"


@pytest.mark.parametrize("number, late", [(4, ""), (5, "1")])
def test_a_killed_child(guest, broker, number, late):
    """SIGKILL in mid-task: killed, and with a late ack the same id runs again."""
    worker = Worker(guest, broker, number, "-c", "1", LATE_ACK=late)
    with ended(worker.process):
        first, = worker.send("slow(2)")
        begun = wait_for(lambda: worker.events("task_begin"))[0]
        wait_for(lambda: [e for e in worker.events("sleep") if e["unit"]])
        os.kill(begun["file_pid"], signal.SIGKILL)
        second, = worker.send("count(1, 2)")
        wait_for(lambda: [e for e in worker.events("task_end")][1 if late else 0:])
    report = worker.report()
    runs, other = runs_of(report, [first, second])
    assert runs == (["killed", "succeeded"] if late else ["killed"])
    assert other == ["succeeded"]
    assert len([u for u in report["units"] if u["pid"] == begun["file_pid"]]) == 1
