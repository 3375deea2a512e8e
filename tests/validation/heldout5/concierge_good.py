# SPDX-License-Identifier: Apache-2.0
"""Three things a guest may want of the same house; each is asked for by a function of its own."""
import os
import urllib.request

from flask import Flask, jsonify

app = Flask(__name__)


def away(what, exc, status):
    app.logger.error("no %s of %s: %r", what, os.environ["PEER"], exc)
    return jsonify(error=what), status


@app.route("/room/<int:number>")
def room(number):
    try:
        with urllib.request.urlopen(f"{os.environ['PEER']}/room/{number}", timeout=2) as answer:
            return jsonify(room=answer.read().decode())
    except OSError as exc:
        return away("room", exc, 503)


@app.route("/taxi/<int:number>")
def taxi(number):
    try:
        with urllib.request.urlopen(f"{os.environ['PEER']}/taxi/{number}", timeout=2) as answer:
            return jsonify(taxi=answer.read().decode())
    except OSError as exc:
        return away("taxi", exc, 503)


@app.route("/menu/<int:number>")
def menu(number):
    try:
        with urllib.request.urlopen(f"{os.environ['PEER']}/menu/{number}", timeout=2) as answer:
            return jsonify(menu=answer.read().decode())
    except OSError as exc:
        return away("menu", exc, 503)
