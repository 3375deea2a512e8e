# SPDX-License-Identifier: Apache-2.0
"""Each file of docker/compose, without docker: faults fired, and what is known of the application is found."""
from dataclasses import dataclass

import pytest


@dataclass
class Row:
    """What one scenario must come to."""
    name: str
    status: int = 10
    fired: int = 30
    finds: tuple = ()
    passes: tuple = ()
    outcomes: tuple = ("absorbed",)
    roles: tuple = ()
    peers: tuple = ()
    graded: bool = True


ROWS = [
    # show_cart has no timeout
    Row("uvicorn-redis", finds=("MH-0601",), peers=("redis:6379",)),
    # order() has none, nor a handler; stock() refuses
    Row("uvicorn-redis-postgres", finds=("MH-0601", "MH-0101"), outcomes=("absorbed", "broke", "refused"),
        peers=("redis:6379", "postgres:5432")),
    # gunicorn begins another worker for the one that was killed
    Row("gunicorn-uvicorn", finds=("MH-0601",), passes=("MH-0203",), outcomes=("absorbed", "collapsed"),
        roles=("gunicorn arbiter", "gunicorn worker")),
    # careless does not retry
    Row("celery-redis", fired=20, finds=("MH-0101",), outcomes=("absorbed", "broke"),
        roles=("celery worker", "celery pool process"), graded=False),
    # and acknowledges before it is done
    Row("celery-rabbitmq", fired=20, finds=("MH-0101", "MH-0804"), outcomes=("absorbed", "broke", "collapsed"),
        peers=("rabbitmq:5672", "redis:6379"), roles=("celery worker", "celery pool process"), graded=False),
    # three tries in each of two services
    Row("chain", finds=("MH-2010", "MH-0505"), outcomes=("refused",), peers=("middle:8001", "back:8002")),
    # the standby takes the reading over
    Row("postgres-standby", finds=("MH-0601",), outcomes=("degraded", "broke"), peers=("primary:5432", "standby:5432")),
    Row("redis-sentinel", status=0, fired=20, passes=("MH-0403", "MH-0601"), peers=("sentinel:26379",)),
    # the client asks on and on
    Row("redis-cluster", finds=("MH-0505",), peers=("redis-1:6379", "redis-2:6379", "redis-3:6379")),
    Row("flask-shop", finds=("MH-0601", "MH-0101"), outcomes=("absorbed", "broke"),
        peers=("redis:6379", "pricing:8001"), roles=("gunicorn worker",)),
    Row("django-celery", finds=("MH-0601", "MH-0101"), outcomes=("absorbed", "broke"),
        peers=("postgres:5432", "redis:6379"), roles=("gunicorn worker", "celery worker")),
    # librdkafka's threads work for nobody in particular: few of their faults can be given to a request
    Row("kafka", status=0, fired=20, passes=("MH-0802",), outcomes=("refused",), peers=("kafka:9092",), graded=False),
    # supervisord begins it anew
    Row("supervisord", status=0, fired=15, finds=("MH-0101",), passes=("MH-0203",)),
]


def check(run, row):
    gate = run.log("mishap")
    assert run.status == row.status, run.said + gate
    assert run.left == [], "processes stayed"
    assert run.result["ended"] == "mishap", run.result
    report = run.report
    assert report["run"]["fired"] >= row.fired, gate
    assert not row.graded or report["score"]["grade"] != "NG", gate
    assert set(row.finds) <= run.rules(), gate
    assert set(row.passes) <= run.passed(), gate
    assert set(row.outcomes) <= set(run.outcomes()), gate
    assert set(row.roles) <= {p["role"] for p in report["processes"]}
    assert set(row.peers) <= {p["name"] for p in report["peers"]}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_scenario(scenario, row):
    check(scenario(row.name), row)
