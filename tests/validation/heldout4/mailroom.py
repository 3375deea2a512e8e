# SPDX-License-Identifier: Apache-2.0
"""Letters that the queue does not take now are handed over as soon as it does, by a thread."""
import collections
import logging
import os
import threading
import time

import redis
from flask import Flask, jsonify

app = Flask(__name__)
store = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1)
later = collections.deque()


def deliver():
    while True:
        time.sleep(0.5)
        while later:
            try:
                store.lpush("letters", later[0])
                later.popleft()
            except redis.RedisError as exc:
                logging.warning("%d letters wait for %s: %r", len(later), os.environ["REDIS_URL"], exc)
                break


@app.route("/letter/<int:number>", methods=["POST"])
def letter(number):
    if len(later) > 5000:
        return jsonify(error="full"), 503
    try:
        store.lpush("letters", number)
    except redis.RedisError as exc:
        logging.warning("letter %d has to wait: %r", number, exc)
        later.append(number)
    return jsonify(status="taken"), 202


threading.Thread(target=deliver, daemon=True).start()
app.run(port=int(os.environ["PORT"]), threaded=True)
