# SPDX-License-Identifier: Apache-2.0
"""The same line goes through a bounded queue to a thread that writes."""
import logging
import logging.handlers
import os
import queue

from flask import Flask

app = Flask(__name__)
log = logging.getLogger("shop")
log.setLevel(logging.INFO)
records = queue.Queue(1000)
log.addHandler(logging.handlers.QueueHandler(records))
logging.handlers.QueueListener(
    records, logging.FileHandler(os.path.join(os.environ["DATA"], "shop.log"))).start()


@app.get("/hello")
def hello():
    log.info("hello was asked for")
    return {"hello": "world"}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
