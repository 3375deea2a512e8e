# SPDX-License-Identifier: Apache-2.0
"""Monthly charges, each booked with somebody else by a task that is done again when its worker is lost."""
import os

import requests
from celery import Celery

app = Celery("charges", broker=os.environ["REDIS_URL"])
app.conf.update(task_ignore_result=True, task_acks_late=True, task_reject_on_worker_lost=True,
                worker_prefetch_multiplier=1, broker_transport_options={"visibility_timeout": 600},
                beat_schedule_filename=os.path.join(os.environ["DATA"], "beat"),
                beat_schedule={"each": {"task": "charges.each", "schedule": 0.8, "options": {"expires": 60}}})


@app.task(name="charges.each", bind=True)
def each(self):
    requests.post(os.environ["PEER"] + "/charge", json={"month": self.request.id}, timeout=3).raise_for_status()
