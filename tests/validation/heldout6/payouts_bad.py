# SPDX-License-Identifier: Apache-2.0
"""Payouts, each ordered at the bank by a task that is done again when its worker is lost or the bank is."""
import os

import requests
from celery import Celery

app = Celery("payouts", broker=os.environ["REDIS_URL"])
app.conf.update(task_ignore_result=True, task_acks_late=True, task_reject_on_worker_lost=True,
                worker_prefetch_multiplier=1, broker_transport_options={"visibility_timeout": 600},
                beat_schedule_filename=os.path.join(os.environ["DATA"], "beat"),
                beat_schedule={"payouts": {"task": "payouts.order", "schedule": 0.8, "options": {"expires": 60}}})


@app.task(name="payouts.order", bind=True, autoretry_for=(requests.ConnectionError,), retry_backoff=True, max_retries=3)
def order(self):
    answer = requests.post(os.environ["PEER"] + "/payouts", json={"payout": self.request.id}, timeout=(1, 3))
    answer.raise_for_status()
