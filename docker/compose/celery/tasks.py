# SPDX-License-Identifier: Apache-2.0
"""A Celery application as many are: one task that retries, one that does not. Both count in redis."""
import os

import redis
from celery import Celery

REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")

app = Celery("tasks", broker=os.environ.get("BROKER_URL", REDIS_URL + "/0"))
store = redis.Redis.from_url(REDIS_URL + "/1", socket_timeout=2)


@app.task(autoretry_for=(redis.RedisError,), max_retries=3, default_retry_delay=1)
def careful(key):
    return store.incr(key)


@app.task
def careless(key):
    return store.incr(key)
