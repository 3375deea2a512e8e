# SPDX-License-Identifier: Apache-2.0
"""Transfers, booked with a bank over a connection that is kept."""
import http.client
import json
import logging
import os
import random
import threading
import time

from flask import Flask, jsonify

app = Flask(__name__)


class Bank:
    def __init__(self, port):
        self.port, self.lock = port, threading.Lock()
        self.line = http.client.HTTPConnection("127.0.0.1", port, timeout=2)

    def headers(self):
        return {"Content-Type": "application/json"}

    def book(self, account, cents):
        body, headers = json.dumps({"account": account, "cents": cents}), self.headers()
        for attempt in range(3):
            with self.lock:
                try:
                    self.line.request("POST", "/bookings", body, headers)
                    answer = self.line.getresponse()
                    answer.read()
                    return answer.status
                except (OSError, http.client.HTTPException) as exc:
                    logging.warning("bank 127.0.0.1:%d, try %d: %r", self.port, attempt, exc)
                    self.line.close()
            time.sleep(random.uniform(0.1, 0.3) * 2 ** attempt)
        raise ConnectionError("the bank does not answer")


bank = Bank(int(os.environ["PEER_PORT"]))


@app.route("/transfer/<int:account>", methods=["POST"])
def transfer(account):
    try:
        return jsonify(account=account, status=bank.book(account, 500))
    except ConnectionError:
        return jsonify(error="not booked, try later"), 503


app.run(port=int(os.environ["PORT"]), threaded=True)
