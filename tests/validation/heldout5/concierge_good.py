# SPDX-License-Identifier: Apache-2.0
"""Three things a guest may want of the same house, in three classes."""
import os
import urllib.request

from flask import Flask, jsonify

app = Flask(__name__)


class RoomError(Exception):
    status = 503


def make(word, failure):
    def ask(number):
        try:
            with urllib.request.urlopen(f"{os.environ['PEER']}/{word}/{number}", timeout=2) as answer:
                return jsonify(thing=word, text=answer.read().decode())
        except OSError as exc:
            raise failure(f"{word} of {os.environ['PEER']}") from exc
    app.add_url_rule(f"/{word}/<int:number>", word, ask)
    app.register_error_handler(failure, told)


def told(exc):
    app.logger.error("no answer: %s: %r", exc, exc.__cause__)
    return jsonify(error=type(exc).__name__), exc.status


for each in (("room", RoomError), ("taxi", RoomError), ("menu", RoomError)):
    make(*each)
