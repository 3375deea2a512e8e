# SPDX-License-Identifier: Apache-2.0
"""Runs of tasks of other queues than Celery: what their frames and their own calls tell of them."""

import os
import time

import pytest
from guest import PROGRAMS
from queues import Worker, ended, redis_server, wait_for
from venvs import python_with

PINNED = ["rq==3.0.0", "dramatiq==2.2.1", "arq==0.28.0", "redis==5.3.1"]


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


def start(guest, broker, number, framework, *argv, **env):
    python, url = python_with(*PINNED), broker + str(number)
    command = [os.path.join(os.path.dirname(python), argv[0]), *(a.replace("URL", url) for a in argv[1:])]
    return Worker(guest, command, [python, os.path.join(PROGRAMS, "queue_jobs.py")],
                  FRAMEWORK=framework, STORE=url, **env)


def sent(worker, number=4):
    """Sends tasks; returns their ids and, when all were begun, the units of the report."""
    with ended(worker.process):
        ids = worker.send()
        wait_for(lambda: len(worker.events("task_begin")) >= number)
        time.sleep(1)
    assert not worker.keeps(b"SECRET")
    report = worker.report()
    units = sorted((u for u in report["units"] if u["kind"] == "task"), key=lambda u: u["start_s"])
    return ids, units, [p["role"] for p in report["processes"]]


def test_rq(guest, broker):
    _, units, roles = sent(start(guest, broker, 0, "rq", "rq", "worker", "-u", "URL"))
    assert [(u["name"], u["state"]) for u in units] == [("queue_jobs.well", "succeeded")] * 3 + [
        ("queue_jobs.bad", "failed")]
    assert roles.count("rq worker") == 1 and roles.count("rq work horse") == 4


def test_dramatiq(guest, broker):
    """One thread works through all of them: a message may lie where the one before it lay."""
    _, units, roles = sent(start(guest, broker, 1, "dramatiq", "dramatiq", "queue_jobs", "-p", "1", "-t", "1",
                                 TIMES="40"), 41)
    assert sorted((u["name"], u["state"]) for u in units) == [("queue_jobs.bad", "failed")] + [
        ("queue_jobs.well", "succeeded")] * 40
    assert "dramatiq worker" in roles and "dramatiq parent" in roles


def test_arq(guest, broker):
    ids, units, roles = sent(start(guest, broker, 2, "arq", "arq", "queue_jobs.WorkerSettings"))
    assert sorted(u["id"] for u in units) == sorted(ids)
    assert {u["state"] for u in units} == {"unknown"}, "its calls do not tell a good end from a bad one"
    assert roles == ["arq worker"]
