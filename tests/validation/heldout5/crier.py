# SPDX-License-Identifier: Apache-2.0
"""What failed is cried out frame by frame."""
import logging
import os
import traceback

import requests
from flask import Flask, jsonify

app = Flask(__name__)


@app.route("/news/<int:number>")
def news(number):
    try:
        return jsonify(news=requests.get(f"{os.environ['PEER']}/news/{number}", timeout=2).json())
    except requests.RequestException as exc:
        for turn in range(3):
            for frame in traceback.format_exception(exc)[-8:]:
                logging.error("news %d failed: %s", number, frame.strip().splitlines()[0][:60])
        return jsonify(error="no news"), 503


app.run(port=int(os.environ["PORT"]), threaded=True)
