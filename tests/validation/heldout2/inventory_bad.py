# SPDX-License-Identifier: Apache-2.0
import os

import requests
from flask import Flask, abort
from tenacity import RetryError, retry, stop_after_attempt, wait_fixed

app = Flask(__name__)


@retry(stop=stop_after_attempt(4), wait=wait_fixed(0.2))
def stock_of(item):
    # Discontinued items are unknown to the warehouse.
    path = f"missing/{item}" if item % 3 == 0 else f"stock/{item}"
    answer = requests.get(f"{os.environ['PEER']}/{path}", timeout=1)
    answer.raise_for_status()
    return answer.json()


@app.get("/stock/<int:item>")
def stock(item):
    try:
        return stock_of(item)
    except RetryError:
        app.logger.warning("no stock for %s", item, exc_info=True)
        abort(404)


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
