# SPDX-License-Identifier: Apache-2.0
"""Geocoding. Three short tries, each with a limit."""
import logging
import os
import random
import time

import httpx
from flask import Flask, jsonify

app = Flask(__name__)
client = httpx.Client(base_url=os.environ["PEER"], timeout=0.6)


class Unavailable(Exception):
    pass


def locate(place):
    for attempt in range(3):
        try:
            return client.get("/uneven", params={"q": place}).json()["value"]
        except httpx.TransportError as exc:
            logging.warning("geocoder %s, try %d: %r", client.base_url, attempt, exc)
            time.sleep(random.uniform(0.05, 0.15))
    raise Unavailable(place)


@app.errorhandler(Unavailable)
def unavailable(exc):
    return jsonify(error="unavailable"), 503


@app.route("/where/<place>")
def where(place):
    return jsonify(place=place, at=locate(place))


app.run(port=int(os.environ["PORT"]), threaded=True)
