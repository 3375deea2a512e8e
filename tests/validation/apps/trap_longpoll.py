# SPDX-License-Identifier: Apache-2.0
"""T1: a thread that long-polls for changes of its configuration, in the background."""
import os
import threading
import urllib.request

from flask import Flask

app = Flask(__name__)
seen = {"changes": 0}


def watch():
    while True:
        with urllib.request.urlopen(os.environ["PEER"] + "/longpoll") as answer:
            answer.read()
            seen["changes"] += 1


threading.Thread(target=watch, daemon=True).start()


@app.get("/version")
def version():
    return {"version": 1}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
