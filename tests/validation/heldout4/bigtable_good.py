# SPDX-License-Identifier: Apache-2.0
"""A large price list that is kept in redis."""
import concurrent.futures
import logging
import os

import redis
from flask import Flask, Response, jsonify

app = Flask(__name__)
store = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=0.5, socket_connect_timeout=0.5)
store.set("prices", b"sku;price\n" * 1400)
readers = concurrent.futures.ThreadPoolExecutor(32)


def prices():
    return store.get("prices")


@app.route("/prices/<int:page>")
def show(page):
    try:
        table = readers.submit(prices).result(timeout=1.2)
    except (redis.RedisError, concurrent.futures.TimeoutError) as exc:
        logging.warning("price list at %s: %r", os.environ["REDIS_URL"], exc)
        return jsonify(error="no prices now"), 503
    return Response(table[page * 10:page * 10 + 10], mimetype="text/csv")


app.run(port=int(os.environ["PORT"]), threaded=True)
