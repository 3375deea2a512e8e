# SPDX-License-Identifier: Apache-2.0
"""Webhooks are taken and given to Celery; refused at once when its broker is away."""
import logging
import os

from celery import Celery
from fastapi import FastAPI, HTTPException
from kombu.exceptions import OperationalError

tasks = Celery("webhook", broker=os.environ["REDIS_URL"])
tasks.conf.update(task_publish_retry=False, broker_connection_timeout=1, task_ignore_result=True,
                  broker_transport_options={"socket_timeout": 1, "socket_connect_timeout": 1,
                                            "max_retries": 0})
app = FastAPI()


@tasks.task
def handle(event: int):
    print("event", event)


@app.post("/hook/{event}", status_code=202)
def hook(event: int):
    try:
        handle.apply_async((event,), retry=False)
    except OperationalError as exc:
        logging.error("event %d not taken: broker failed", event, exc_info=exc)
        raise HTTPException(503, "busy, send it again", headers={"Retry-After": "10"}) from exc
    return {"accepted": event}
