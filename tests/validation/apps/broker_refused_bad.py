# SPDX-License-Identifier: Apache-2.0
"""An order is handed to a worker; without the broker the caller gets whatever celery raises."""
import os

from celery import Celery
from flask import Flask

app = Flask(__name__)
jobs = Celery("shop", broker=os.environ["REDIS_URL"])
jobs.conf.update(broker_transport_options={"socket_timeout": 1, "socket_connect_timeout": 1,
                                           "max_retries": 1, "interval_start": 0.1},
                 task_publish_retry=False)


@app.post("/order")
def order():
    jobs.send_task("ship", args=[1])
    return {"taken": True}, 202


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
