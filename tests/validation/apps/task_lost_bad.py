# SPDX-License-Identifier: Apache-2.0
"""A celery worker as it comes: a task is acknowledged before it is done."""
import os
import time

import requests
from celery import Celery

app = Celery("jobs", broker=os.environ["REDIS_URL"])
app.conf.update(worker_hijack_root_logger=False)


@app.task(bind=True, name="charge")
def charge(self, order):
    requests.post(os.environ["PEER"] + "/charge", data=f"order {order}", timeout=2,
                  headers={"Idempotency-Key": self.request.id})
    requests.get(os.environ["PEER"] + "/receipt", timeout=2)


if __name__ == "__main__":
    if os.fork() == 0:
        for number in range(70):
            charge.delay(number)
            time.sleep(0.7)
        os._exit(0)
    app.worker_main(["worker", "-c", "2", "-l", "WARNING", "--without-gossip", "--without-mingle"])
