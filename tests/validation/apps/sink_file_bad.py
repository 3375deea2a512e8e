# SPDX-License-Identifier: Apache-2.0
"""Each request writes its line to a log file before it answers."""
import logging
import os

from flask import Flask

app = Flask(__name__)
log = logging.getLogger("shop")
log.setLevel(logging.INFO)
log.addHandler(logging.FileHandler(os.path.join(os.environ["DATA"], "shop.log")))


@app.get("/hello")
def hello():
    log.info("hello was asked for")
    return {"hello": "world"}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
