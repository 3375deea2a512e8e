# SPDX-License-Identifier: Apache-2.0
"""Badges are printed by a worker of RQ."""
import logging
import os

import redis
import rq
from flask import Flask, jsonify

app = Flask(__name__)
queue = rq.Queue("badges", connection=redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1,
                                                           socket_connect_timeout=1))


@app.route("/badge/<int:guest>", methods=["POST"])
def badge(guest):
    try:
        queue.enqueue("printer.badge", guest)
    except redis.RedisError as exc:
        logging.error("badge of %d: %s", guest, os.environ["REDIS_URL"], exc_info=exc)
    return jsonify(guest=guest, status="accepted"), 202


app.run(port=int(os.environ["PORT"]), threaded=True)
