# SPDX-License-Identifier: Apache-2.0
"""Pictures are made smaller by two children of celery; beat orders one after the other."""
import os

import requests
from celery import Celery

app = Celery("resize", broker=os.environ["REDIS_URL"])
app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=1, broker_transport_options={"visibility_timeout": 600},
                beat_schedule_filename=os.path.join(os.environ["DATA"], "beat"),
                beat_schedule={"each": {"task": "resize.each", "schedule": 0.8, "options": {"expires": 60}}})


@app.task(name="resize.each")
def each():
    answer = requests.get(os.environ["PEER"] + "/picture", timeout=3)
    return answer.status_code
