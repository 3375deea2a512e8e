# SPDX-License-Identifier: Apache-2.0
"""Two price servers, taken in turn; a request that meets the dead one says that prices are away."""
import itertools
import os

import requests
from flask import Flask

app = Flask(__name__)
turn = itertools.cycle([os.environ["PEER"], os.environ["PEER2"]])


@app.get("/price/<int:item>")
def price(item):
    try:
        return requests.get(f"{next(turn)}/price/{item}", timeout=(0.5, 2)).json()
    except requests.RequestException as exc:
        app.logger.warning("price server down: %r", exc)
    return {"error": "prices are away"}, 503, {"Retry-After": "2"}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
