# SPDX-License-Identifier: Apache-2.0
"""Celery without a broker: tasks run where they are called."""
import logging
import os

import requests
from celery import Celery
from flask import Flask, jsonify

tasks = Celery("eager", broker="memory://")
tasks.conf.task_always_eager = True
app = Flask(__name__)


@tasks.task
def stamp(number):
    try:
        return requests.put(f"{os.environ['PEER']}/stamp/{number}", json={}, timeout=1).status_code
    except requests.RequestException as exc:
        logging.warning("stamps of %s: %r", os.environ["PEER"], exc)
        return None


@app.route("/stamp/<int:number>", methods=["POST"])
def ask(number):
    status = stamp.delay(number).result
    return (jsonify(stamped=number), 200) if status == 200 else (jsonify(error="no stamps now"), 503)


app.run(port=int(os.environ["PORT"]), threaded=True)
