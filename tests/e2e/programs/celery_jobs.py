# SPDX-License-Identifier: Apache-2.0
"""Tasks of a Celery worker for test_celery.py: one for each way in which a run can end.
BROKER and RESULTS are URLs; LATE_ACK=1 gives a lost task back to the broker."""

import os
import socket
import threading
import time

import redis
from celery import Celery
from celery.exceptions import Reject
from celery.signals import beat_init, worker_ready

app = Celery("celery_jobs", broker=os.environ["BROKER"], backend=os.environ.get("RESULTS") or None)
app.conf.task_acks_late = app.conf.task_reject_on_worker_lost = bool(os.environ.get("LATE_ACK"))
app.conf.worker_prefetch_multiplier = 1
store = redis.Redis.from_url(os.environ.get("STORE", "redis://127.0.0.1:1/0"), socket_timeout=5)


@app.task
def count(a, b):
    return a + b


@app.task
def save(key, value):
    store.set(key, value)


@app.task
def fail():
    raise KeyError("SECRET-in-an-error")


@app.task(bind=True, max_retries=3)
def again(self, key):
    if store.incr(key) < 3:
        raise self.retry(countdown=0.1)


@app.task(bind=True)
def reject(self):
    raise Reject("no", requeue=False)


@app.task
def in_a_thread(key):
    t = threading.Thread(target=store.get, args=(key,))
    t.start()
    t.join()


@app.task
def slow(seconds):
    time.sleep(seconds)


@app.task(bind=True)
def mark(self):
    store.sadd("done", self.request.id)
    return "marked"


app.conf.beat_schedule = {"marks": {"task": "celery_jobs.mark", "schedule": 0.3}}


@worker_ready.connect
@beat_init.connect
def listen(**_):
    """READY names a port: who waits for the worker is told when it is there."""
    if "READY" in os.environ:
        app.ready = socket.create_server(("127.0.0.1", int(os.environ["READY"])))
        app.ready.accept()


def send(*calls):
    """Prints a line an id: `python celery_jobs.py 'count(1, 2)' ...`."""
    for call in calls:
        name, args = call.split("(", 1)
        print(globals()[name].delay(*eval("(" + args.rstrip(")") + ",)" if args != ")" else "()")).id)


if __name__ == "__main__":
    import sys

    import celery_jobs

    celery_jobs.send(*sys.argv[1:])
