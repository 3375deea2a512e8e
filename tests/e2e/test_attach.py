# SPDX-License-Identifier: Apache-2.0
"""`mishap attach` and `mishap detach`: a service on a real uvicorn and redis that ran already."""

import http.client
import os
import subprocess
import threading
import time

import pytest

from guest import BUILD, PROGRAMS, PYTHON, has_module, timed
from servers import free_port, redis, running

import mhr

MISHAP = os.path.join(BUILD, "tools", "mishap")
APP = os.path.join(PROGRAMS, "attached_app.py")
SLOW = "[fault slow]\ncall = recv\npeer = localhost:%d\ndelay = 150ms\n"
RESET = "[fault reset]\ncall = recv\npeer = localhost:%d\nerror = ECONNRESET\n"


def mishap(*words, status=0, **how):
    done = subprocess.run([MISHAP, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=90, check=False, stdin=subprocess.DEVNULL, **how)
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    return done


def may_trace(pid):
    """Or skip: not everywhere may a process be traced that is no child."""
    done = subprocess.run([MISHAP, "attach", str(pid), "-o", "/proc/no"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False, timeout=90)
    if "may not be traced" in done.stderr:
        pytest.skip(done.stderr.strip())


class Service:
    def __init__(self, port, redis_port, process, directory):
        self.port, self.redis, self.pid, self.directory = port, redis_port, process.pid, str(directory)
        self.n = 0

    def scenario(self, text):
        self.n += 1
        path = os.path.join(self.directory, "scenario%d.ini" % self.n)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text % self.redis)
        return path

    def attach(self, *words, status=0):
        self.n += 1
        out = os.path.join(self.directory, "out%d" % self.n)
        mishap("attach", self.pid, "-o", out, *words, status=status)
        return out

    def detach(self):
        return mishap("detach", self.pid)

    def connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def ask(self, path, connection=None):
        """(status, text, seconds)"""
        own = connection or self.connection()
        begun = time.monotonic()
        own.request("GET", path)
        answer = own.getresponse()
        text = answer.read().decode()
        if not connection:
            own.close()
        return answer.status, text, time.monotonic() - begun


@pytest.fixture(scope="module")
def store():
    with redis() as port:
        yield port


@pytest.fixture
def service(store, tmp_path):
    if not all(map(has_module, ("uvicorn", "starlette", "redis"))):
        pytest.skip("needs uvicorn, starlette and redis")
    port = free_port()

    def answers():
        try:
            return http.client.HTTPConnection("127.0.0.1", port, timeout=1).connect() is None
        except OSError:
            return False

    with running([PYTHON, APP, str(port), str(store)], answers) as process:
        may_trace(process.pid)
        made = Service(port, store, process, tmp_path)
        for path in ("/loop", "/thread"):  # its connections to redis are there before mishap is
            assert made.ask(path)[0] == 200
        yield made
        assert process.poll() is None, "the service has died"


def events(out, kind):
    return [e for e in mhr.read_dir(out) if e["event"] == kind]


@timed
def test_delay_comes_and_goes(service):
    out = service.attach("-c", service.scenario(SLOW))
    for path in ("/loop", "/thread"):
        status, _, took = service.ask(path)
        assert status == 200 and took >= 0.149
    service.detach()
    for path in ("/loop", "/thread"):
        assert min(service.ask(path)[2] for _ in range(3)) < 0.14
    begun = events(out, "process")
    assert len(begun) == 1 and begun[0]["attached"] == 1 and begun[0]["python"]
    recording, = (os.path.join(out, name) for name in os.listdir(out) if name.endswith(".mhr"))
    assert mhr.header(recording)["complete"]
    fired = [e for e in events(out, "op") if e["fault"]]
    assert len(fired) == 2 and {e["effect"] - 1 for e in fired} == {mhr.EFFECT["delay"]}
    # the connections that were open are clients of that name
    peers = {e["peer"]: e["tail"].split("\n") for e in events(out, "peer")}
    assert {peers[e["peer"]][0] for e in events(out, "request")} == {"localhost"}


def test_reset_is_seen_to_its_end(service):
    """Which exception it became, who handled it, and what the caller got."""
    out = service.attach("-c", service.scenario(RESET))
    assert service.ask("/loop")[:2] == (503, "ConnectionError")
    assert service.ask("/thread")[:2] == (503, "ConnectionError")
    service.detach()
    assert service.ask("/loop")[0] == 200
    outcomes = events(out, "outcome")
    fired = {e["op"] for e in events(out, "op") if e["fault"]}
    for where in ("in_loop", "in_thread"):
        assert [o for o in outcomes if o["op"] in fired and o["step"] == mhr.STEP["handled"] and where in o["tail"]], \
            (where, [(o["op"], o["step"], o["tail"]) for o in outcomes])
    assert any("in_thread" in e["tail"] for e in events(out, "stack"))
    assert 503 in {e["status"] for e in events(out, "unit_end")}


@timed
def test_again_and_again_under_load(service):
    """No request fails or hangs while mishap comes and goes, and each time it sees what passes."""
    failed, done, end = [], [0], threading.Event()

    def load(path):
        connection = service.connection()
        while not end.is_set():
            try:
                status, text, _ = service.ask(path, connection)
            except (OSError, http.client.HTTPException) as e:
                status, text, connection = 0, repr(e), service.connection()
            done[0] += 1
            if status != 200:
                failed.append((status, text))

    threads = [threading.Thread(target=load, args=(path,)) for path in ("/loop", "/thread") * 2]
    for t in threads:
        t.start()
    try:
        for n in range(8):
            out = service.attach(*(["-c", service.scenario(SLOW)] if n % 2 else []))
            before = done[0]
            while done[0] < before + 30:
                time.sleep(0.02)
            service.detach()
            assert events(out, "request") and events(out, "unit_end"), os.listdir(out)
    finally:
        end.set()
        for t in threads:
            t.join(30)
    assert not failed, failed[:5]
    assert done[0] > 200


def test_set_and_watch_and_report(service):
    out = service.attach("-c", service.scenario(SLOW))
    assert service.ask("/loop")[2] >= 0.149
    mishap("set", service.pid, "slow.delay=300ms")
    time.sleep(0.1)
    assert service.ask("/loop")[2] >= 0.299
    mishap("set", service.pid, "off")
    assert "slow" in mishap("set", out).stdout
    assert "off" in mishap("set", service.pid).stdout
    service.detach()
    assert "does not run under mishap" in mishap("set", service.pid, status=2).stderr
    text = mishap("report", "-v", out).stdout
    assert "attached to this process while it ran" in text


def test_for_a_time_and_a_report(service, tmp_path):
    report, stop = str(tmp_path / "report.json"), threading.Event()

    def load():
        while not stop.is_set():
            service.ask("/loop")

    t = threading.Thread(target=load)
    t.start()
    try:
        done = mishap("attach", service.pid, "-c", service.scenario(SLOW), "-o", tmp_path / "timed", "--for", "3s",
                      "--report", report)
    finally:
        stop.set()
        t.join()
    assert os.path.exists(report) and "attached to process %d" % service.pid in done.stdout
    assert "mishap is not attached" in mishap("detach", service.pid, status=2).stderr


def refusal(*words):
    return mishap("attach", *words, status=2).stderr


def test_refusals(service, tmp_path):
    service.attach()
    assert "is under mishap already" in refusal(service.pid)
    service.detach()
    assert "mishap is not attached" in mishap("detach", service.pid, status=2).stderr
    assert "there is no process" in refusal(2 ** 22 - 1)
    assert "is not a process id" in refusal("me")
    with subprocess.Popen(["sleep", "60"]) as other:
        try:
            time.sleep(0.3)  # until it has its libc
            assert "runs no Python" in refusal(other.pid)
            os.kill(other.pid, 19)
            time.sleep(0.1)
            assert "is stopped" in refusal(other.pid)
        finally:
            other.kill()
