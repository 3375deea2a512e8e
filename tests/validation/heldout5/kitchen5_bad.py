# SPDX-License-Identifier: Apache-2.0
"""Orders are handed to cooks by Celery; without its broker there is no order."""
import os

import celery
from flask import Flask, jsonify

cooks = celery.Celery("cooks", broker=os.environ["REDIS_URL"])
cooks.conf.update(task_publish_retry=False, task_ignore_result=True, broker_transport_options={
    "socket_timeout": 1, "socket_connect_timeout": 1, "max_retries": 1})


@cooks.task
def cook(dish):
    return dish


class Counter:
    def order(self, dish):
        cook.delay(dish)
        return jsonify(dish=dish, status="is being cooked"), 202


app = Flask(__name__)
app.add_url_rule("/order/<int:dish>", "order", Counter().order, methods=["POST"])
app.run(port=int(os.environ["PORT"]), threaded=True)
