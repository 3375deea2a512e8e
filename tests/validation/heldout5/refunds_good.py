# SPDX-License-Identifier: Apache-2.0
"""Refunds; what is said about a failed one is made in the handler of the error."""
import http.client
import json
import logging
import os

from flask import Flask, jsonify

app = Flask(__name__)


class Till:
    def __init__(self, port):
        self.port = port

    def refund(self, number):
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            line.request("GET", f"/refund/{number}")
            return json.load(line.getresponse())
        finally:
            line.close()


till = Till(int(os.environ["PEER_PORT"]))


@app.route("/refund/<int:number>")
def refund(number):
    try:
        return jsonify(number=number, **till.refund(number))
    except (OSError, http.client.HTTPException) as exc:
        logging.error("till at port %d: %r", till.port, exc)
        return jsonify(error="till is away", kind=type(exc).__name__), 503


app.run(port=int(os.environ["PORT"]), threaded=True)
