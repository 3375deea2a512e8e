# SPDX-License-Identifier: Apache-2.0
"""Carts kept in two places, the even ones here, the odd ones there."""
import os

import requests
from flask import Flask

app = Flask(__name__)
PLACES = [os.environ["PEER"], os.environ["PEER2"]]


@app.get("/cart/<int:number>")
def cart(number):
    try:
        return requests.get(f"{PLACES[number % 2]}/cart/{number}", timeout=(0.5, 2)).json()
    except requests.RequestException as exc:
        app.logger.warning("carts are away: %r", exc)
        return {"error": "cart not to be had"}, 503, {"Retry-After": "2"}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
