# SPDX-License-Identifier: Apache-2.0
"""Flask in threads; each request hands its line to a thread that writes."""
import logging.handlers
import os
import queue

from flask import Flask

app = Flask(__name__)
audit = logging.getLogger("audit")
audit.setLevel(logging.INFO)
file = logging.handlers.RotatingFileHandler(os.path.join(os.environ["DATA"], "audit.log"), maxBytes=10**6)
lines = queue.Queue(1000)
audit.addHandler(logging.handlers.QueueHandler(lines))
logging.handlers.QueueListener(lines, file).start()


@app.get("/do/<what>")
def do(what):
    audit.info("asked to do %s", what)
    return {"done": what}


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
