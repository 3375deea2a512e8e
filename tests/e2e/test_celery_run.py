# SPDX-License-Identifier: Apache-2.0
"""`mishap run -- celery -A app worker` and `beat` with trouble at the broker and at the result backend: the
faults are the ones that were asked for, each task that ran is in the report by its id, and what a worker does
with them is told apart."""

import json
import os
import subprocess

import pytest

import servers
from guest import PROGRAMS, PYTHON, has_module
from queues import MISHAP, free_port, redis_server, runs_of
from venvs import python_with

NEWEST = ("celery==5.7.0", "redis==6.4.0", "packaging==25.0")
PHASES = "[phase calm]\nfor = 2s\n[phase trouble]\nfor = 3s\nfaults = %s\n[phase recovery]\nfor = 60s\n"
FAULTS = {
    "slow": "call = recv\nside = client\ndelay = 200ms jitter 50ms",
    "reset": "call = recv\nside = client\ncount = 1\nerror = ECONNRESET",
    "refused": "call = connect\nerror = ECONNREFUSED",
    "blackhole": "call = net\nside = client\nblackhole = yes",
    "killed": "call = send\noperation = celery_jobs.mark\ncount = 1\nper = run\nkill = SIGKILL",
    "unstored": "call = send\nside = client\nstack = celery.backends.*\nerror = EPIPE",
}
pytestmark = pytest.mark.skipif(not (has_module("celery") and has_module("redis")),
                                reason="python3-celery or python3-redis is not installed")


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="module")
def rabbit():
    with servers.rabbit() as port:
        yield "amqp://guest:guest@127.0.0.1:%d//" % port


def waiting(port):
    """Tasks in the queue of redis' database 7."""
    return int(subprocess.run(["redis-cli", "-p", port, "-n", "7", "llen", "celery"], check=True, stdout=subprocess.PIPE).stdout)


class Run:
    """One run: a load sends a task each 100 ms and then waits until all have run, or `patience` is over."""

    def __init__(self, tmp_path, broker, store, trouble, command, python=PYTHON, seconds=7, patience=8, then="", **env):
        peer, ready = env.pop("peer", broker).split(":")[-1].split("/")[0], str(free_port())
        scenario = PHASES % " ".join(trouble) + "".join(
            "[fault %s]\npeer = :%s\n%s\n" % (name, peer, FAULTS[name]) for name in trouble)
        (tmp_path / "s.ini").write_text(scenario)
        self.tmp_path, self.ids = tmp_path, tmp_path / "ids"
        env = {**os.environ, "READY": ready, "PYTHONPATH": PROGRAMS, "PYTHONDONTWRITEBYTECODE": "1", "BROKER": broker, "STORE": store,
               **env}
        load = "%s %s/celery_load.py %d %s %d; %s" % (python, PROGRAMS, seconds, self.ids, patience, then or ":")
        self.done = subprocess.run(
            [MISHAP, "run", "-q", "-c", "s.ini", "-o", "out", "--with", load, "--report", "r.json", "--no-calm", "--seed",
             "5", "--ready", "127.0.0.1:" + ready, "--", python, "-m", "celery", "-A", "celery_jobs", *command], cwd=tmp_path, env=env, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=120)
        assert (tmp_path / "r.json").exists(), self.done.stderr
        self.report = json.loads((tmp_path / "r.json").read_text())
        self.sent = self.ids.read_text().split()
        self.ran = (tmp_path / "ids.done").read_text().split()
        self.fired = {}
        for case in self.report["cases"]:
            self.fired[case["fault"]] = self.fired.get(case["fault"], 0) + case["fired"]

        self.lost = [i for i in self.sent if i not in self.ran]

    def states(self):
        return dict(zip(self.sent, runs_of(self.report, self.sent)))

    def went_on(self, state, lost=0):
        """Of the last quarter, sent long after the trouble, all ran; and each that ran is told by its id."""
        assert self.done.returncode == 0, self.done.stderr
        assert len(self.sent) >= 40 and len(self.lost) <= lost, self.lost
        assert not set(self.sent[-len(self.sent) // 4:]) & set(self.lost)
        states = {i: s for i, s in self.states().items() if i in self.ran}
        # One that ran may not have been able to say so: where its result goes is the broker's own redis.
        other = {i: s for i, s in states.items() if s != [state]}
        assert set(states) == set(self.ran) and len(other) <= lost and all(s == ["failed"] for s in other.values()), other
        units = [u for u in self.report["units"] if u["kind"] == "task"]
        assert {(u["name"], u["framework"]) for u in units} == {("celery_jobs.mark", "celery")}
        assert "celery worker" in {p["role"] for p in self.report["processes"]}


WORKER = ["worker", "-l", "WARNING", "-c", "2", "-P"]


@pytest.mark.parametrize("number, pool", enumerate(["prefork", "gevent", "threads", "solo"]))
def test_trouble_at_the_broker(tmp_path, redis, number, pool):
    """Redis answers late, then a connection is lost and refused for a while. Celery 5.2's own loop often does not
    go on after that, with or without mishap: it is today's. The task whose answer was reset is lost in redis; a
    worker that runs its tasks itself can lose what it had fetched, four for each of `-c 2`."""
    python = PYTHON if pool == "gevent" else python_with(*NEWEST)
    if pool == "gevent" and not has_module("gevent"):
        pytest.skip("python3-gevent is not installed")
    run = Run(tmp_path, redis + str(number), redis + str(number + 4), ["slow", "reset", "refused"], WORKER + [pool], python)
    run.went_on("succeeded" if pool == "prefork" else "unknown", lost=8 if pool in ("gevent", "solo") else 2)
    assert set(run.fired) == {"slow", "reset", "refused"} and min(run.fired.values()) >= 1, run.fired


def test_a_blackhole_at_redis(tmp_path, redis):
    run = Run(tmp_path, redis + "8", redis + "8", ["blackhole"], WORKER + ["prefork"])
    run.went_on("succeeded")
    assert run.fired["blackhole"] >= 1


@pytest.mark.parametrize("number, trouble", [(10, "reset refused"), (11, "blackhole")])
def test_trouble_at_rabbit(tmp_path, redis, rabbit, number, trouble):
    """What was not acknowledged is given out again: nothing is lost."""
    run = Run(tmp_path, rabbit, redis + str(number), trouble.split(), WORKER + ["prefork"], python_with(*NEWEST))
    run.went_on("succeeded")
    assert set(run.fired) == set(trouble.split())


@pytest.mark.parametrize("number, late", [(12, ""), (13, "1")], ids=["early ack", "late ack"])
def test_a_child_is_killed_in_its_task(tmp_path, redis, rabbit, number, late):
    """Acknowledged early the work is lost, and the report says so; late it is done again."""
    run = Run(tmp_path, rabbit, redis + str(number), ["killed"], WORKER + ["prefork"], peer=redis, LATE_ACK=late)
    assert run.done.returncode == 0 and run.fired == {"killed": 1}, run.done.stderr
    (hit,) = [(i, s) for i, s in run.states().items() if "killed" in s]
    told = {r["rule"]: r["reason"] for r in run.report["passed" if late else "unclear"]}
    if late:
        assert hit[1] == ["killed", "succeeded"] and run.lost == []
        assert "were begun again" in told["MH-0804"]
    else:
        assert hit[1] == ["killed"] and run.lost == [hit[0]]
        assert "were not seen again" in told["MH-0804"]  # it wants to have watched for longer than a test may take


def test_the_worker_is_killed(tmp_path, redis):
    run = Run(tmp_path, redis + "14", redis + "14", ["slow"], WORKER + ["prefork", "--pidfile", "worker.pid"], seconds=4,
              then="kill -9 $(cat worker.pid); sleep 20")
    assert run.done.returncode == 137 and "ended by signal 9" in run.done.stderr
    assert run.report["run"]["exit"] == 137
    assert set(run.ran) <= {i for i, s in run.states().items() if s}


def test_the_result_backend_is_down(tmp_path, redis):
    """The tasks run all the same; that their results were not stored is their failure."""
    run = Run(tmp_path, redis + "15", redis + "15", ["unstored"], WORKER + ["prefork"], RESULTS=redis + "15")
    assert run.done.returncode == 0 and run.lost == [] and run.fired["unstored"] >= 10
    assert {tuple(s) for s in run.states().values()} == {("succeeded",), ("failed",)}
    assert run.report["outcomes"]["broke"]["count"] >= 5
    assert any(f["rule"] == "MH-0101" and "EPIPE" in " ".join(f["evidence"]) for f in run.report["findings"])


def test_beat(tmp_path, redis):
    """It sends a task each 300 ms; what it cannot send it drops, and goes on when the broker is back."""
    url = redis.rsplit(":", 1)[1].strip("/")
    before = waiting(url)
    run = Run(tmp_path, redis + "7", redis + "7", ["reset", "refused"],
              ["beat", "-l", "WARNING", "-s", str(tmp_path / "schedule")], patience=1)
    assert run.done.returncode == 0 and run.fired["refused"] >= 1, run.done.stderr
    assert [p["role"] for p in run.report["processes"]] == ["celery beat"]
    ticks = waiting(url) - before - len(run.sent)
    assert 9 <= ticks <= 40, "six before the trouble, and a dozen after it"
