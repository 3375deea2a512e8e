# SPDX-License-Identifier: Apache-2.0
"""A vault has one key; who holds it goes there and back."""
import http.client
import logging
import os
import threading

from flask import Flask, jsonify

app = Flask(__name__)


class Vault:
    def __init__(self):
        self.key, self.visits = threading.Lock(), 0

    def fetch(self, number):
        line = http.client.HTTPConnection("127.0.0.1", int(os.environ["PEER_PORT"]), timeout=3)
        try:
            line.request("GET", f"/secret/{number}")
            return line.getresponse().read().decode()
        finally:
            line.close()

    def open(self, number):
        with self.key:
            self.visits += 1
            return self.fetch(number)


vault = Vault()


@app.route("/secret/<int:number>")
def secret(number):
    try:
        return jsonify(text=vault.open(number))
    except OSError as exc:
        logging.error("vault at port %s: %r", os.environ["PEER_PORT"], exc)
        return jsonify(error="shut"), 503
