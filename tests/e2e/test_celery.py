# SPDX-License-Identifier: Apache-2.0
"""A run of a Celery task is a unit of work, in every pool: real workers, a real broker."""

import os
import signal
import time

import pytest
from guest import PROGRAMS, PYTHON, has_module
from queues import Worker, ended, redis_server, runs_of, wait_for
from venvs import python_with

CALLS = ["count(1, 2)", "save('k', 'SECRET-value')", "fail()", "again('n')", "reject()", "in_a_thread('k')"]


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def celery(guest, broker):
    def start(number, *options, python=PYTHON, config=None, **env):
        if python == PYTHON and not (has_module("celery") and has_module("redis")):
            pytest.skip("python3-celery or python3-redis is not installed")
        argv = [python, "-m", "celery", "-A", "celery_jobs", "worker", "-l", "WARNING",
                "--without-gossip", "--without-mingle", *options]
        return Worker(guest, argv, [python, os.path.join(PROGRAMS, "celery_jobs.py")], config,
                      BROKER=broker + str(number), STORE=broker + str(number), **env)
    return start


@pytest.mark.parametrize("number, pool", enumerate(["prefork", "threads", "gevent", "solo", "newest"]))
def test_pools(celery, number, pool):
    if pool == "gevent" and not has_module("gevent"):
        pytest.skip("python3-gevent is not installed")
    python = PYTHON
    if pool == "newest":
        pool, python = "prefork", python_with("celery==5.7.0", "redis==6.4.0", "packaging==25.0")
    worker = celery(number, "-P", pool, *([] if pool == "solo" else ["-c", "2"]), python=python)
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
    assert not worker.keeps(b"SECRET"), "arguments and messages of errors are not kept"


@pytest.mark.parametrize("number, pool", [(10, "prefork"), (11, "threads"), (12, "solo")])
def test_operation_is_the_task_s_name(celery, broker, number, pool):
    """A fault on one task's calls spares those of another and the worker's own, to the same peer."""
    port = broker.rsplit(":", 1)[1].strip("/")
    worker = celery(number, "-P", pool, *([] if pool == "solo" else ["-c", "2"]), config="""
        [run]
        processes = *
        [fault f]
        call = recv
        side = client
        peer = :%s
        operation = celery_jobs.save
        error = ECONNRESET
        """ % port)
    with ended(worker.process):
        save, again = worker.send("save('k', 'v')", "again('n')")
        wait_for(lambda: len([e for e in worker.events("request") if e["tail"] == "INCRBY"]) == 3)
        wait_for(lambda: [e for e in worker.events("op") if e["fault"]])
        time.sleep(0.5)
    begun = {(e["file_pid"], e["unit"]): e["tail"].split("\n")[1] for e in worker.events("task_begin")}
    hit = [begun.get((e["file_pid"], e["unit"])) for e in worker.events("op") if e["fault"]]
    assert hit and set(hit) == {"celery_jobs.save"}, hit
    saved, counted = runs_of(worker.report(), [save, again])
    assert counted[:2] == ["retried", "retried"] and len(counted) == 3
    assert saved == ["failed"]


@pytest.mark.parametrize("number, late", [(8, ""), (9, "1")])
def test_a_killed_child(celery, number, late):
    """SIGKILL in mid-task: killed, and with a late ack the same id runs again."""
    worker = celery(number, "-c", "1", LATE_ACK=late)
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
