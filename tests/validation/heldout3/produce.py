#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends tasks. Usage: produce.py TASK NUMBER PAUSE"""
import os
import sys
import time

from celery import Celery

app = Celery(broker=os.environ["REDIS_URL"])
for number in range(int(sys.argv[2])):
    app.send_task(sys.argv[1], [number])
    time.sleep(float(sys.argv[3]))
