# SPDX-License-Identifier: Apache-2.0
"""Parcels are looked for by a Celery worker."""
import os
import random

import requests
from celery import Celery
from celery.utils.log import get_task_logger

app = Celery("parcels", broker=os.environ["REDIS_URL"])
app.conf.worker_hijack_root_logger = False
log = get_task_logger(__name__)


@app.task(name="parcels.track", bind=True, max_retries=9, ignore_result=True)
def track(self, number):
    answer = requests.get(f"{os.environ['PEER']}/parcel/{number}", timeout=2)
    log.info("parcel %s: %s", number, answer.json()["value"])
