# SPDX-License-Identifier: Apache-2.0
"""A hotel: prices kept in redis, a weather house, a register on the disk."""
import os
import pathlib
import urllib.request

import redis
from flask import Flask, jsonify

cache = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1)
register = pathlib.Path(os.environ["DATA"])


class Hotel:
    def price(self, room):
        if not cache.get(f"price:{room}"):
            cache.set(f"price:{room}", 40 + room, ex=60)
        return jsonify(room=room, price=40 + room, currency="crowns")

    def weather(self):
        with urllib.request.urlopen(os.environ["PEER"] + "/weather") as answer:
            return jsonify(weather=answer.read().decode())

    def arrive(self, room):
        with open(register / f"{room}", "w") as page:
            page.write(f"room {room} is taken by somebody")
        return jsonify(room=room, welcome=True)


app, hotel = Flask(__name__), Hotel()
for number in range(1, 41):
    (register / f"{number}").write_text(f"room {number} is free, as it always was")
app.add_url_rule("/price/<int:room>", "price", hotel.price)
app.add_url_rule("/weather", "weather", hotel.weather)
app.add_url_rule("/arrive/<int:room>", "arrive", hotel.arrive, methods=["POST"])
