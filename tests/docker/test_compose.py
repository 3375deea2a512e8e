# SPDX-License-Identifier: Apache-2.0
"""Each file of docker/compose ends with the gate's status, and what it says was injected in a container."""
import pytest

import daemon as docker


def test_a_shop_without_timeouts_fails_the_gate(daemon):
    run = docker.Run(daemon, "uvicorn-redis", "shop")
    assert run.status == 10, run.said[-6000:]
    report = run.report()
    assert report["run"]["fired"] > 20
    assert any(f["rule"] == "MH-0601" for f in report["findings"])
    assert any("redis" in p["name"] for p in report["peers"])


def test_how_large_the_image_is(daemon, record_property):
    docker.build(daemon, "mishap", "Dockerfile", BASE=docker.BASE)
    docker.check_size(daemon, "mishap", record_property)


def test_the_same_shop_passes_a_gate_that_asks_less(daemon):
    run = docker.Run(daemon, "uvicorn-redis", "lenient", FAIL_ON="critical")
    assert run.status == 0, run.said[-6000:]
    assert run.report()["run"]["fired"] > 20


def test_nothing_fired_is_never_green(daemon):
    """The scenario is about a peer that this application has not."""
    run = docker.Run(daemon, "uvicorn-redis", "nothing", FAIL_ON="critical",
                     SCENARIO="/mishap/config/slow-postgres.ini")
    assert run.status == 11, run.said[-6000:]


def test_celery(daemon):
    run = docker.Run(daemon, "celery-redis", "celery")
    report = run.report()
    assert report["run"]["fired"] > 10, run.said[-6000:]
    assert run.status == 10, run.said[-6000:]
    assert any(p["role"] == "celery pool process" for p in report["processes"])
    assert {u["name"] for u in report["units"]} >= {"tasks.careful", "tasks.careless"}


@pytest.mark.parametrize("name, status, finds, outcome", [
    ("chain", 10, "MH-2010", "refused"),
    ("postgres-standby", 10, "MH-0101", "degraded"),
    ("redis-sentinel", 0, None, "absorbed"),
])
def test_others(daemon, name, status, finds, outcome):
    """What `tests/scenarios` comes to without docker it comes to in containers."""
    run = docker.Run(daemon, name, name)
    assert run.status == status, run.said[-6000:]
    report = run.report()
    assert report["run"]["fired"] > 20
    assert not finds or any(f["rule"] == finds for f in report["findings"])
    assert report["outcomes"][outcome]["count"] > 5


def test_a_container_that_dies_is_never_green(daemon):
    """This image knows no redis-server: the container ends, and takes the run with it."""
    run = docker.Run(daemon, "uvicorn-redis", "dead", REDIS_IMAGE="mishap")
    assert run.status == 11, run.said[-6000:]
