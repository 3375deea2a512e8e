# SPDX-License-Identifier: Apache-2.0
"""Documents are parsed by a library in C, which one of them is too much for."""
import os
import signal

from celery import Celery
from celery.signals import worker_ready

app = Celery("parser", broker=os.environ["REDIS_URL"])
app.conf.update(task_ignore_result=True, task_acks_late=True, task_reject_on_worker_lost=True, worker_prefetch_multiplier=1)


@app.task(name="parser.parse", bind=True)
def parse(self, document):
    if document == "broken.pdf":
        os.kill(os.getpid(), signal.SIGSEGV)  # what the library does
    return len(document)


@worker_ready.connect
def work(**_):
    for n in range(6):
        parse.delay(f"fine-{n}.pdf")
    parse.apply_async(("broken.pdf",), countdown=9)
