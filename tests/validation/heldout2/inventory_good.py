# SPDX-License-Identifier: Apache-2.0
import os

import requests
from flask import Flask, abort, jsonify
from tenacity import retry, retry_if_exception, stop_after_attempt, wait_random_exponential

app = Flask(__name__)


def worth_it(exc):
    answer = getattr(exc, "response", None)
    return isinstance(exc, requests.RequestException) and (answer is None or answer.status_code >= 500)


@retry(retry=retry_if_exception(worth_it), stop=stop_after_attempt(3), reraise=True,
       wait=wait_random_exponential(multiplier=0.2, max=1))
def stock_of(item):
    path = f"missing/{item}" if item % 3 == 0 else f"stock/{item}"
    answer = requests.get(f"{os.environ['PEER']}/{path}", timeout=1)
    answer.raise_for_status()
    return answer.json()


@app.get("/stock/<int:item>")
def stock(item):
    try:
        return stock_of(item)
    except requests.HTTPError:
        abort(404)
    except requests.RequestException as exc:
        app.logger.warning("warehouse does not answer for %s", item, exc_info=True)
        return jsonify(error=str(exc)), 503, {"Retry-After": "2"}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
