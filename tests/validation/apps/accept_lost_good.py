# SPDX-License-Identifier: Apache-2.0
"""An order is taken only when the queue has it; else the caller is told to come back."""
import os

from celery import Celery
from flask import Flask
from kombu.exceptions import OperationalError

app = Flask(__name__)
jobs = Celery("shop", broker=os.environ["REDIS_URL"])
jobs.conf.update(broker_transport_options={"socket_timeout": 1, "socket_connect_timeout": 1,
                                           "max_retries": 1, "interval_start": 0.1},
                 task_publish_retry=False)


@app.post("/order")
def order():
    try:
        jobs.send_task("ship", args=[1])
    except OperationalError as exc:
        app.logger.warning("order not taken: %r", exc)
        return {"error": "not taken"}, 503, {"Retry-After": "5"}
    return {"taken": True}, 202


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
