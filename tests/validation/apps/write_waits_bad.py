# SPDX-License-Identifier: Apache-2.0
"""There is a queue, and still the caller waits until the peer has charged the card."""
import os

import requests
from celery import Celery
from flask import Flask

app = Flask(__name__)
jobs = Celery("shop", broker=os.environ["REDIS_URL"])
jobs.conf.broker_transport_options = {"socket_timeout": 1, "socket_connect_timeout": 1}


@app.post("/order")
def order():
    requests.post(os.environ["PEER"] + "/charge", data="1", timeout=5)
    jobs.send_task("ship", args=[1])
    return {"taken": True}, 202


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
