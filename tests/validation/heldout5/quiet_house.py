# SPDX-License-Identifier: Apache-2.0
"""A house in which all is well."""
import json
import os

import requests
from flask import Flask, jsonify

app = Flask(__name__)


class House:
    def __init__(self, base):
        self.base = base
        self.book = os.path.join(os.environ["DATA"], "book")

    def room(self, number):
        return jsonify(room=number, text=requests.get(f"{self.base}/room/{number}", timeout=2).json())

    def note(self, number):
        with open(self.book, "a") as book:
            book.write(json.dumps(number) + "\n")
        return jsonify(noted=number)


house = House(os.environ["PEER"])
app.add_url_rule("/room/<int:number>", "room", house.room)
app.add_url_rule("/note/<int:number>", "note", house.note, methods=["POST"])
app.run(port=int(os.environ["PORT"]), threaded=True)
