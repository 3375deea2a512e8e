# SPDX-License-Identifier: Apache-2.0
"""Three pages, three exceptions of their own, one answer; a fourth page does without."""
import os

import requests
from flask import Flask

app = Flask(__name__)
down = type("Down", (Exception,), {})


@app.errorhandler(down)
def answer(exc):
    app.logger.warning("down", exc_info=exc)
    return {"error": "try again"}, 503, {"Retry-After": "5"}


def ask(what):
    try:
        return requests.get(f"{os.environ['PEER']}/json?{what}", timeout=2).json()
    except requests.RequestException as exc:
        raise type(what.title() + "Down", (down,), {})() from exc


def price():
    return ask("price")


def stock():
    return ask("stock")


def advice():
    try:
        return ask("advice")
    except down as exc:
        app.logger.warning("none", exc_info=exc)
        return {"value": None}


for page in (price, stock, advice, lambda: ask("rating")):
    app.route("/" + page.__name__.strip("<>"))(page)
app.run(port=int(os.environ["PORT"]), threaded=True)
