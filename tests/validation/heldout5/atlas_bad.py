# SPDX-License-Identifier: Apache-2.0
"""Where a house stands is asked of the resolver first."""
import http.client
import logging
import os
import random
import socket
import time

from flask import Flask, jsonify

app = Flask(__name__)


def hopeless(exc):
    return False


def stands(name):
    for left in range(3, -1, -1):
        try:
            return socket.getaddrinfo(name, int(os.environ["PEER_PORT"]), socket.AF_INET, socket.SOCK_STREAM)[0][4]
        except socket.gaierror as exc:
            if not left or hopeless(exc):
                raise
            time.sleep(random.uniform(0.06, 0.3))


@app.route("/house/<int:number>")
def house(number):
    try:
        line = http.client.HTTPConnection(*stands("localhost"), timeout=2)
        line.request("GET", f"/house/{number}", headers={"Connection": "close"})
        return jsonify(house=number, text=line.getresponse().read().decode())
    except OSError as exc:
        logging.error("house %d of localhost: %r", number, exc)
        return jsonify(error="no such house"), 503


app.run(port=int(os.environ["PORT"]), threaded=True)
