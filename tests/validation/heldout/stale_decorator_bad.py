# SPDX-License-Identifier: Apache-2.0
"""Flask under gunicorn; a decorator gives the last good answer when there is no new one, and tells nobody."""
import functools
import os

import httplib2
from flask import Flask

app = Flask(__name__)


def stale_on_error(call):
    known = {}

    @functools.wraps(call)
    def inner(*args):
        try:
            known[args] = call(*args)
        except OSError:
            if args not in known:
                raise
        return known[args]
    return inner


@stale_on_error
def weather(town):
    return httplib2.Http(timeout=1).request(f"{os.environ['PEER']}/weather/{town}")[1]


@app.get("/weather/<town>")
def show(town):
    return weather(town)
