# SPDX-License-Identifier: Apache-2.0
"""Orders: packing is a task of somebody else, the confirmation is sent by mail."""
import os

import requests
from celery import Celery
from flask import Flask, jsonify

tasks = Celery("orderdesk", broker=os.environ["REDIS_URL"])
tasks.conf.task_ignore_result = True
app = Flask(__name__)


@tasks.task(name="orderdesk.pack")
def pack(number):
    return number


@tasks.task(name="orderdesk.confirm")
def confirm(number):
    requests.post(os.environ["PEER"] + "/mail", json={"order": number}, timeout=5).raise_for_status()


@app.route("/order/<int:number>", methods=["POST"])
def order(number):
    pack.delay(number)
    confirm.delay(number)
    return jsonify(order=number), 202


app.run(port=int(os.environ["PORT"]), threaded=True)
