# SPDX-License-Identifier: Apache-2.0
import logging
import logging.handlers
import os
import queue

from flask import Flask, request

app = Flask(__name__)
audit, records = logging.getLogger("audit"), queue.Queue(5000)
audit.setLevel(logging.INFO)
audit.addHandler(logging.handlers.QueueHandler(records))
listener = None


def listening():
    """In the worker, not in gunicorn's master: threads do not survive a fork."""
    global listener
    if listener is None:
        listener = logging.handlers.QueueListener(
            records, logging.FileHandler(os.path.join(os.environ["DATA"], "audit.log")))
        listener.start()


@app.route("/view/<int:doc>")
def view(doc):
    listening()
    audit.info("%s looked at %d", request.remote_addr, doc)
    return {"doc": doc, "pages": doc * 3}
