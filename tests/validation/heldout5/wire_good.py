# SPDX-License-Identifier: Apache-2.0
"""Money is wired by urllib3, which is told to try again whatever it was."""
import logging
import os
import uuid

import urllib3
from flask import Flask, jsonify
from urllib3.util import Retry

app = Flask(__name__)


class Bank:
    def __init__(self, base):
        self.base = base
        self.http = urllib3.PoolManager(timeout=urllib3.Timeout(2), maxsize=8, retries=Retry(
            2, allowed_methods=None, backoff_factor=0.2))

    def wire(self, number):
        headers = {"Content-Type": "text/plain", "Idempotency-Key": str(uuid.uuid4())}
        return self.http.request("POST", f"{self.base}/wire", body=f"pay 20 to {number}", headers=headers)


bank = Bank(os.environ["PEER"])


@app.route("/wire/<int:number>", methods=["POST"])
def wire(number):
    try:
        return jsonify(number=number, status=bank.wire(number).status)
    except urllib3.exceptions.HTTPError as exc:
        logging.error("bank %s: %r", bank.base, exc)
        return jsonify(error="bank is away"), 503


app.run(port=int(os.environ["PORT"]), threaded=True)
