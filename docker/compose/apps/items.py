# SPDX-License-Identifier: Apache-2.0
"""Counters in redis, behind Sentinels (SENTINELS=host:port,...) or in a Cluster (CLUSTER=host:port,...)."""
import os

import redis
import redis.cluster
import redis.sentinel
from fastapi import FastAPI, HTTPException
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

LIMITS = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
app = FastAPI()


def places(text):
    return [(h, int(p)) for h, p in (word.split(":") for word in text.split(","))]


if "SENTINELS" in os.environ:
    again = Retry(ExponentialBackoff(cap=0.3, base=0.05), 3)
    sentinel = redis.sentinel.Sentinel(places(os.environ["SENTINELS"]), sentinel_kwargs=LIMITS, **LIMITS)
    writer = sentinel.master_for("items", retry=again, retry_on_error=[redis.ConnectionError, redis.TimeoutError])
    reader = sentinel.slave_for("items", retry=again, retry_on_error=[redis.ConnectionError, redis.TimeoutError])
else:
    nodes = [redis.cluster.ClusterNode(h, p) for h, p in places(os.environ["CLUSTER"])]
    writer = reader = redis.cluster.RedisCluster(startup_nodes=nodes, **LIMITS)


@app.get("/items/{number}")
def show(number: str):
    try:
        return {"item": number, "count": int(reader.get("item:" + number) or 0)}
    except redis.RedisError as exc:
        raise HTTPException(503, "no items now", headers={"Retry-After": "1"}) from exc


@app.post("/items/{number}")
def add(number: str):
    return {"item": number, "count": writer.incr("item:" + number)}
