# SPDX-License-Identifier: Apache-2.0
"""City weather for the intranet's start page."""
import logging
import os

import requests
from flask import Flask, jsonify
from requests.adapters import HTTPAdapter

app = Flask(__name__)
UPSTREAM = os.environ["PEER"]


class Limited(HTTPAdapter):
    """Every request of the session has a limit, whoever makes it."""

    def send(self, request, **kwargs):
        kwargs["timeout"] = kwargs.get("timeout") or (0.3, 0.6)
        return super().send(request, **kwargs)


session = requests.Session()
session.mount("http://", Limited(pool_maxsize=8))


@app.errorhandler(requests.RequestException)
def upstream_down(exc):
    app.logger.warning("weather service failed: %s", exc, exc_info=exc)
    return jsonify(error="weather service unavailable"), 503, {"Retry-After": "3"}


@app.get("/now/<int:city>")
def now(city):
    readings = session.get(f"{UPSTREAM}/items", params={"city": city}).json()
    return jsonify(city=city, reading=readings[city % 100])


@app.get("/about")
def about():
    return "Weather of our offices, by the facilities team.\n"


logging.basicConfig(level=logging.INFO)
