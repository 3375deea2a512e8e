# SPDX-License-Identifier: Apache-2.0
"""Three teams wrote three pages, each with its own client of the same service."""
import http.client
import json
import logging
import os
import urllib.request

import requests
from flask import Blueprint, Flask, abort

app = Flask(__name__)
log = logging.getLogger("kiosk")
PEER = os.environ["PEER"]
timetable, seats, fares = (Blueprint(name, __name__) for name in ("timetable", "seats", "fares"))


class DependencyDown(Exception):
    pass


@timetable.get("/timetable/<int:line>")
def show_timetable(line):
    return requests.get(f"{PEER}/timetable/{line}", timeout=2).json()


@seats.get("/seats/<int:car>")
def show_seats(car):
    try:
        with urllib.request.urlopen(f"{PEER}/seats/{car}", timeout=2) as answer:
            return json.load(answer)
    except OSError as exc:
        log.warning("seats of %d: %s", car, exc)
        abort(404)


@fares.get("/fares/<int:zone>")
def show_fares(zone):
    line = http.client.HTTPConnection(PEER.partition("//")[2], timeout=2)
    try:
        line.request("GET", f"/fares/{zone}")
        return json.loads(line.getresponse().read())
    except OSError as exc:
        log.warning("fares of %d: %s", zone, exc)
        abort(502)
    finally:
        line.close()


@app.errorhandler(DependencyDown)
def dependency_down(exc):
    log.warning("%s", exc, exc_info=exc)
    return {"error": "dependency_unavailable"}, 503, {"Retry-After": "5"}


for part in (timetable, seats, fares):
    app.register_blueprint(part)
