# SPDX-License-Identifier: Apache-2.0
"""City weather for the intranet's start page."""
import os

import requests
from flask import Flask, jsonify

app = Flask(__name__)
UPSTREAM = os.environ["PEER"]


@app.get("/now/<int:city>")
def now(city):
    readings = requests.get(f"{UPSTREAM}/items", params={"city": city}).json()
    return jsonify(city=city, reading=readings[city % 100])


@app.get("/about")
def about():
    return "Weather of our offices, by the facilities team.\n"
