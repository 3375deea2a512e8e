# SPDX-License-Identifier: Apache-2.0
"""A basket has four lines of the same length; each is booked by a POST of its own, once."""
import http.client
import logging
import os

from flask import Flask, jsonify

app = Flask(__name__)


def booked(lines):
    for item in lines:
        way = http.client.HTTPConnection("127.0.0.1", int(os.environ["PEER_PORT"]), timeout=2)
        try:
            way.request("POST", "/book", f"item {item:04d}")
            yield item, way.getresponse().read() and True
        except (OSError, http.client.HTTPException) as exc:
            logging.error("item %d at port %d: %r", item, way.port, exc)
            yield item, False
        finally:
            way.close()


@app.route("/basket/<int:number>", methods=["POST"])
def basket(number):
    result = dict(booked(range(number, number + 4)))
    return jsonify(booked=result), 200 if all(result.values()) else 503


app.run(port=int(os.environ["PORT"]), threaded=True)
