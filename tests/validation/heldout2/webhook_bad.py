# SPDX-License-Identifier: Apache-2.0
"""Webhooks are taken and given to Celery."""
import os

from celery import Celery
from fastapi import FastAPI

tasks = Celery("webhook", broker=os.environ["REDIS_URL"])
app = FastAPI()


@tasks.task(ignore_result=True)
def handle(event: int):
    print("event", event)


@app.post("/hook/{event}", status_code=202)
def hook(event: int):
    handle.delay(event)
    return {"accepted": event}
