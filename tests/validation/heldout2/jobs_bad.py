# SPDX-License-Identifier: Apache-2.0
"""Invoices by RQ, as its first page shows it: worker and producer in one."""
import os
import time

import redis
import requests
import rq


def invoice(number):
    requests.post(os.environ["PEER"] + f"/invoice/{number}", timeout=2)
    time.sleep(0.3)
    requests.get(os.environ["PEER"] + f"/printed/{number}", timeout=2)


if __name__ == "__main__":
    import jobs_bad
    connection = redis.Redis.from_url(os.environ["REDIS_URL"])
    queue = rq.Queue("invoices", connection=connection)
    for number in range(20):
        queue.enqueue(jobs_bad.invoice, number)
    rq.Worker([queue], connection=connection).work()
