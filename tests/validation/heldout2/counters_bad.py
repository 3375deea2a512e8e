# SPDX-License-Identifier: Apache-2.0
"""Counters over a pool of two connections that is made by hand."""
import os
import queue

import redis
from flask import Flask, jsonify

app = Flask(__name__)
pool = queue.LifoQueue()
for _ in range(2):
    pool.put(redis.Redis(port=int(os.environ["REDIS_PORT"]), socket_timeout=2, socket_connect_timeout=1,
                         single_connection_client=True))


@app.post("/count/<int:what>")
def count(what):
    client = pool.get()
    try:
        return jsonify(count=client.incr(f"count:{what}"))
    finally:
        pool.put(client)


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
