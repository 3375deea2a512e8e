# SPDX-License-Identifier: Apache-2.0
"""Pages, and a thread for announcements that takes the whole server down when redis is gone."""
import logging
import os
import threading

import redis
from flask import Flask

app = Flask(__name__)
announcements = []


def follow():
    channel = redis.Redis.from_url(os.environ["REDIS_URL"]).pubsub()
    channel.subscribe("announcements")
    try:
        for message in channel.listen():
            announcements.append(message)
    except redis.ConnectionError:
        logging.exception("announcements lost, giving up")
        os._exit(3)


@app.get("/")
def index():
    return f"{len(announcements)} announcements\n"


if __name__ == "__main__":
    threading.Thread(target=follow, daemon=True).start()
    app.run(port=int(os.environ["PORT"]), threaded=True)
