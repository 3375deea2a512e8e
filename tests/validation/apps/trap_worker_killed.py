# SPDX-License-Identifier: Apache-2.0
"""A whole worker is lost, and started anew by who looks after it; redis gives its task back after an hour."""
import os
import time

import requests
from celery import Celery

app = Celery("jobs", broker=os.environ["REDIS_URL"])
app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True, worker_prefetch_multiplier=1,
                worker_hijack_root_logger=False)


@app.task(bind=True, name="charge")
def charge(self, order):
    requests.get(os.environ["PEER"] + "/receipt", params={"order": order}, timeout=2)


if __name__ == "__main__":
    if os.fork() == 0:
        for number in range(70):
            charge.delay(number)
            time.sleep(0.7)
        os._exit(0)
    while True:
        if os.fork() == 0:
            app.worker_main(["worker", "-P", "solo", "-l", "WARNING", "--without-gossip", "--without-mingle"])
            os._exit(0)
        os.wait()
