# SPDX-License-Identifier: Apache-2.0
"""Flask under gunicorn; a payment is posted with urllib.request under a key of its own."""
import os
import random
import time
import urllib.request
import uuid

from flask import Flask

app = Flask(__name__)


@app.post("/pay/<order>")
def pay(order):
    body = f'{{"order": "{order}", "cents": 990}}'.encode()
    head = {"Idempotency-Key": str(uuid.uuid4())}
    for attempt in range(3):
        request = urllib.request.Request(os.environ["PEER"] + "/charge", body, head)
        try:
            with urllib.request.urlopen(request, timeout=1) as answer:
                return answer.read()
        except OSError as exc:
            app.logger.warning("charge of %s, try %d: %r", order, attempt, exc)
            time.sleep(random.uniform(0.05, 0.3))
    return {"error": "payment_unavailable"}, 503
