# SPDX-License-Identifier: Apache-2.0
"""The gazette is printed at two houses alike; each reader is sent to one of them."""
import http.client
import logging
import os
import random

from flask import Flask, jsonify

app = Flask(__name__)
HOUSES = ["127.0.0.1", "127.0.0.2"]


def ask(host, path):
    line = http.client.HTTPConnection(host, int(os.environ["PEER_PORT"]), timeout=1)
    try:
        line.request("GET", path)
        return line.getresponse().read().decode()
    finally:
        line.close()


def printed(number):
    host = random.choice(HOUSES)
    try:
        return ask(host, f"/page/{number}")
    except OSError as exc:
        logging.warning("press %s: %r", host, exc)
    return None


@app.route("/page/<int:number>")
def page(number):
    text = printed(number)
    return jsonify(page=number, text=text) if text else (jsonify(error="not printed"), 503)


app.run(port=int(os.environ["PORT"]), threaded=True)
