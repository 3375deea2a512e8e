# SPDX-License-Identifier: Apache-2.0
"""Permits, of which some do not exist. Any error is tried again."""
import json
import logging
import os
import random
import time
import urllib.error
import urllib.request

from flask import Flask, abort

app = Flask(__name__)
log = logging.getLogger("permits")


def fetch(path):
    for attempt in range(3):
        try:
            with urllib.request.urlopen(os.environ["PEER"] + path, timeout=2) as answer:
                return json.load(answer)
        except urllib.error.URLError as exc:
            log.warning("%s, try %d: %s", path, attempt + 1, exc)
            last = exc
            time.sleep(random.uniform(0.1, 0.2) * 2 ** attempt)
    raise last


@app.get("/permit/<int:number>")
def permit(number):
    try:
        return fetch(f"/missing/{number}" if number > 4 else f"/permit/{number}")
    except urllib.error.HTTPError as exc:
        return {"error": "no such permit"}, exc.code
    except urllib.error.URLError:
        abort(503)
