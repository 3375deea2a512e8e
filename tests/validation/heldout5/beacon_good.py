# SPDX-License-Identifier: Apache-2.0
"""A lighthouse that keeps its book in redis, and says whether it is alive."""
import logging
import os

import redis
from flask import Flask, jsonify

app = Flask(__name__)
book = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1)


@app.route("/ship/<int:number>")
def ship(number):
    return jsonify(ship=number, seen=book.hincrby("ships", number, 1))


@app.route("/livez")
def alive():
    return jsonify(alive="yes", light="on")


@app.route("/readyz")
def ready():
    book.ping()
    return jsonify(ready="yes", book="open")


@app.errorhandler(redis.RedisError)
def no_book(exc):
    logging.error("book %s: %r", os.environ["REDIS_URL"], exc)
    return jsonify(error="the book is shut"), 503


app.run(port=int(os.environ["PORT"]), threaded=True)
