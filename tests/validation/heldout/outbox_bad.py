# SPDX-License-Identifier: Apache-2.0
"""Flask; what cannot be delivered waits in memory until the collector is back, however long that is."""
import os
import urllib.request

from flask import Flask

app = Flask(__name__)
waiting = []


def deliver(event):
    with urllib.request.urlopen(os.environ["PEER"] + "/events", event, timeout=1):
        pass


@app.post("/event")
def event():
    waiting.append(os.urandom(40000))
    try:
        while waiting:
            deliver(waiting[0])
            waiting.pop(0)
    except OSError as exc:
        app.logger.warning("%d events wait: %r", len(waiting), exc)
    return {"waiting": len(waiting)}, 202


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=False)
