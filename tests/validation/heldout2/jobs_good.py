# SPDX-License-Identifier: Apache-2.0
"""Invoices by RQ: tried again when a work horse dies, and safe to repeat."""
import os
import time

import redis
import requests
import rq


def invoice(number):
    requests.put(os.environ["PEER"] + f"/invoice/{number}", timeout=2)
    time.sleep(0.3)
    requests.get(os.environ["PEER"] + f"/printed/{number}", timeout=2)


if __name__ == "__main__":
    import jobs_good
    connection = redis.Redis.from_url(os.environ["REDIS_URL"])
    queue = rq.Queue("invoices", connection=connection)
    for number in range(20):
        queue.enqueue(jobs_good.invoice, number, retry=rq.Retry(max=3))
    rq.Worker([queue], connection=connection).work()
