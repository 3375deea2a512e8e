# SPDX-License-Identifier: Apache-2.0
"""Pages, and a thread for announcements that comes back when redis does."""
import logging
import os
import random
import threading
import time

import redis
from flask import Flask

app = Flask(__name__)
announcements = []


def follow():
    wait = 0.5
    while True:
        try:
            channel = redis.Redis.from_url(os.environ["REDIS_URL"]).pubsub()
            channel.subscribe("announcements")
            wait = 0.5
            for message in channel.listen():
                announcements.append(message)
        except redis.ConnectionError:
            logging.exception("announcements lost")
            time.sleep(random.uniform(0.5, 1) * wait)
            wait = min(wait * 2, 8)


@app.get("/")
def index():
    return f"{len(announcements)} announcements\n"


if __name__ == "__main__":
    threading.Thread(target=follow, daemon=True).start()
    app.run(port=int(os.environ["PORT"]), threaded=True)
