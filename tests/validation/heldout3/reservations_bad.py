# SPDX-License-Identifier: Apache-2.0
"""Rooms and rates of a hotel; a client object with a session, two pages that use it and one that does not."""
import logging
import os

import requests
from flask import Flask, jsonify

app = Flask(__name__)
log = logging.getLogger("reservations")


class Availability:
    def __init__(self, base):
        self.base, self.session = base, requests.Session()

    def ask(self, kind, number):
        answer = self.session.get(f"{self.base}/{kind}/{number}", timeout=(1, 2))
        answer.raise_for_status()
        return answer.json()


availability = Availability(os.environ["PEER"])


def unavailable(exc):
    log.warning("availability does not answer", exc_info=exc)
    return jsonify(error="availability_down"), 503, {"Retry-After": "5"}


@app.get("/rooms/<int:number>")
def rooms(number):
    try:
        return availability.ask("rooms", number)
    except requests.RequestException as exc:
        return unavailable(exc)


@app.get("/rates/<int:number>")
def rates(number):
    return availability.ask("rates", number)


@app.get("/about")
def about():
    return {"hotel": "by the sea"}
