# SPDX-License-Identifier: Apache-2.0
"""An order that the queue did not get is kept, and a thread of its own hands it over later."""
import collections
import os
import threading
import time

from celery import Celery
from flask import Flask
from kombu.exceptions import OperationalError

app = Flask(__name__)
jobs = Celery("shop", broker=os.environ["REDIS_URL"])
jobs.conf.update(broker_transport_options={"socket_timeout": 1, "socket_connect_timeout": 1,
                                           "max_retries": 1, "interval_start": 0.1},
                 task_publish_retry=False)
kept = collections.deque(maxlen=1000)


@app.post("/order")
def order():
    try:
        jobs.send_task("ship", args=[1])
    except OperationalError as exc:
        app.logger.warning("order is kept for later: %r", exc)
        kept.append([1])
    return {"taken": True}, 202


def clear():
    while True:
        time.sleep(0.2)
        try:
            while kept:
                jobs.send_task("ship", args=kept[0])
                kept.popleft()
        except OperationalError as exc:
            app.logger.warning("%d orders still wait: %r", len(kept), exc)
            time.sleep(1)


if __name__ == "__main__":
    threading.Thread(target=clear, daemon=True).start()
    app.run(port=int(os.environ["PORT"]), threaded=True)
