# SPDX-License-Identifier: Apache-2.0
"""Recipes take a while to write down, so they are kept in redis for a minute."""
import functools
import json
import logging
import os
import time

import redis
from flask import Flask, jsonify

app = Flask(__name__)
log = logging.getLogger("recipes")
pool = redis.ConnectionPool.from_url(os.environ["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1)


def kept(seconds):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(number):
            key, client = f"{function.__name__}:{number}", redis.Redis(connection_pool=pool)
            if (hit := client.get(key)) is not None:
                return json.loads(hit)
            value = function(number)
            client.setex(key, seconds, json.dumps(value))
            return value
        return wrapper
    return decorate


@kept(1)
def recipe(number):
    time.sleep(0.01)
    return {"recipe": number, "steps": [f"step {n}" for n in range(number)]}


@app.get("/recipes/<int:number>")
def show(number):
    return jsonify(recipe(number))
