# SPDX-License-Identifier: Apache-2.0
"""What a lost worker had is given back, as often as that may be."""
import os
import time

import requests
from celery import Celery

app = Celery("jobs", broker=os.environ["REDIS_URL"])
app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True, worker_prefetch_multiplier=1,
                worker_hijack_root_logger=False)


@app.task(bind=True, name="poison")
def poison(self):
    requests.get(os.environ["PEER"] + "/huge", timeout=2)


@app.task(name="charge")
def charge(order):
    requests.get(os.environ["PEER"] + "/receipt", params={"order": order}, timeout=2)


if __name__ == "__main__":
    if os.fork() == 0:
        for number in range(75):
            charge.delay(number)
            if number == 10:
                poison.delay()
            time.sleep(0.7)
        os._exit(0)
    app.worker_main(["worker", "-c", "2", "-l", "WARNING", "--without-gossip", "--without-mingle"])
