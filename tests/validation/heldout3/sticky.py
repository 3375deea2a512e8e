# SPDX-License-Identifier: Apache-2.0
"""Whoever fails is not asked again: the next request goes to the other one, and stays there."""
import logging
import os
import urllib.request

from flask import Flask, abort

app = Flask(__name__)
log = logging.getLogger("sticky")
places = [os.environ["PEER"], os.environ["PEER2"]]
turn = 0


@app.get("/tile/<int:number>")
def tile(number):
    global turn
    try:
        with urllib.request.urlopen(f"{places[turn % 2]}/tile/{number}", timeout=2) as answer:
            return answer.read()
    except OSError as exc:
        log.warning("%s is away, the other one from now on", places[turn % 2], exc_info=exc)
        turn += 1
        abort(503)
