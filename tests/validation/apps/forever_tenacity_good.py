# SPDX-License-Identifier: Apache-2.0
"""The decorator with an end, a wait and one kind of error; then a clear refusal."""
import os

import requests
from flask import Flask
from tenacity import RetryError, retry, retry_if_exception_type, stop_after_attempt, wait_random

app = Flask(__name__)


@retry(retry=retry_if_exception_type(requests.ConnectionError), stop=stop_after_attempt(3),
       wait=wait_random(0.1, 0.4))
def fetch():
    return requests.get(os.environ["PEER"] + "/json", timeout=2).json()


@app.get("/quote")
def quote():
    try:
        return fetch()
    except RetryError as exc:
        app.logger.warning("no quote: %r", exc.last_attempt.exception())
        return {"error": "no quote"}, 503, {"Retry-After": "2"}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
