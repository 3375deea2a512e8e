# SPDX-License-Identifier: Apache-2.0
"""A shop on Flask: pages in a redis cache, a basket in the same redis, a price of another service."""
import os

import redis
import requests
from flask import Flask, jsonify

app = Flask(__name__)
store = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1)
PRICES = os.environ["PRICING_URL"]


@app.get("/products/<sku>")
def product(sku):
    try:
        page = store.get("page:" + sku)
        if page is None:
            store.setex("page:" + sku, 2, "Teapot " + sku)
    except redis.RedisError:
        app.logger.warning("no cache for %s", sku)
    return jsonify(sku=sku, name="Teapot " + sku)


@app.get("/price/<sku>")
def price(sku):
    """No timeout, no handler."""
    return jsonify(requests.get(PRICES + "/price/" + sku).json())


@app.post("/basket/<user>/<sku>")
def basket(user, sku):
    return jsonify(items=store.hincrby("basket:" + user, sku, 1))
