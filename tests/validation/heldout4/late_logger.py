# SPDX-License-Identifier: Apache-2.0
"""Records are handed to a thread that writes them, every half second, to a file."""
import atexit
import logging
import logging.handlers
import os
import queue
import time

import requests
from flask import Flask, jsonify


class Slowly(logging.FileHandler):
    def emit(self, record):
        time.sleep(0.1)
        super().emit(record)


records = queue.Queue(1000)
log = logging.getLogger("shop")
log.addHandler(logging.handlers.QueueHandler(records))
listener = logging.handlers.QueueListener(records, Slowly(os.path.join(os.environ["DATA"], "shop.log")))
listener.start()
atexit.register(listener.stop)
app = Flask(__name__)


@app.route("/offer/<int:n>")
def offer(n):
    try:
        price = requests.get(os.environ["PEER"] + "/price", timeout=1).json()["value"]
    except requests.RequestException as exc:
        log.warning("no price from %s: %r", os.environ["PEER"], exc)
        price = None
    return jsonify(offer=n, price=price)


app.run(port=int(os.environ["PORT"]), threaded=True)
