# SPDX-License-Identifier: Apache-2.0
"""Threads of its own fetch what others wait for, each wait in a line of the application: queues, and no lock."""
import os
import queue
import threading

import requests
from flask import Flask

app = Flask(__name__)
jobs = queue.SimpleQueue()


def fetch():
    while True:
        url, answers = jobs.get()
        try:
            answers.put(requests.get(url, timeout=5).json())
        except requests.RequestException as exc:
            app.logger.warning("no rate: %r", exc)
            answers.put(None)


for _ in range(8):
    threading.Thread(target=fetch, daemon=True).start()


@app.route("/rate/<pair>")
def show(pair):
    answers = queue.SimpleQueue()
    jobs.put((os.environ["PEER"] + "/json", answers))
    answer = answers.get()
    if answer is None:
        return {"error": "no rate"}, 503, {"Retry-After": "2"}
    return answer


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
