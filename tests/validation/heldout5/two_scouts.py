# SPDX-License-Identifier: Apache-2.0
"""When the first scout is late a second one goes; who is back first is heard."""
import logging
import os
import urllib.request
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

from flask import Flask, jsonify

app = Flask(__name__)
scouts = ThreadPoolExecutor(40)


def scout(path):
    with urllib.request.urlopen(os.environ["PEER"] + path, timeout=3) as answer:
        return answer.read().decode()


@app.route("/pass/<int:number>")
def mountain_pass(number):
    sent = [scouts.submit(scout, f"/pass/{number}")]
    back, out = wait(sent, timeout=0.25)
    if not back:
        sent.append(scouts.submit(scout, f"/pass/{number}"))
        back, out = wait(sent, timeout=4, return_when=FIRST_COMPLETED)
    try:
        return jsonify(open=True, text=next(iter(back)).result())
    except (OSError, StopIteration) as exc:
        logging.error("scouts to %s: %r", os.environ["PEER"], exc)
        return jsonify(error="nobody came back"), 503
