# SPDX-License-Identifier: Apache-2.0
"""Scans are handed to the archive; each stands in a file until the archive has it."""
import logging
import os
import tempfile

import requests
from flask import Flask, jsonify

app = Flask(__name__)
log = logging.getLogger("scans")
pending = {}


@app.post("/scan/<int:number>")
def scan(number):
    spool = pending[number] = tempfile.TemporaryFile()
    spool.write(b"scan %d" % number * 100)
    spool.seek(0)
    try:
        requests.post(f"{os.environ['PEER']}/archive/{number}", data=spool, timeout=2).raise_for_status()
    except requests.RequestException as exc:
        log.error("scan %d", number, exc_info=exc)
        return jsonify(scan=number, error="archive unavailable"), 503, {"Retry-After": "5"}
    pending.pop(number).close()
    return jsonify(scan=number, archived=True), 201
