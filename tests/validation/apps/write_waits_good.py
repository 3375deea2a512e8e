# SPDX-License-Identifier: Apache-2.0
"""The caller waits for the queue only, and for a quote no longer than a moment."""
import concurrent.futures
import os

import requests
from celery import Celery
from flask import Flask

app = Flask(__name__)
jobs = Celery("shop", broker=os.environ["REDIS_URL"])
jobs.conf.broker_transport_options = {"socket_timeout": 1, "socket_connect_timeout": 1}
pool = concurrent.futures.ThreadPoolExecutor(16)


def quote():
    return requests.get(os.environ["PEER"] + "/quote", timeout=5).json()


@app.post("/order")
def order():
    pool.submit(quote)
    jobs.send_task("ship", args=[1])
    return {"taken": True}, 202


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
