# SPDX-License-Identifier: Apache-2.0
"""There is one key, and who holds it goes out; nobody waits for it longer than a second."""
import http.client
import logging
import os
import threading

from flask import Flask, jsonify

app, key = Flask(__name__), threading.Lock()


@app.route("/door/<int:number>")
def door(number):
    if not key.acquire(timeout=1):
        logging.warning("door %d: the key is out", number)
        return jsonify(error="come back"), 503, {"Retry-After": "2"}
    line = http.client.HTTPConnection("127.0.0.1", int(os.environ["PEER_PORT"]), timeout=3)
    try:
        line.request("GET", f"/door/{number}")
        return jsonify(door=number, text=line.getresponse().read().decode())
    except OSError as exc:
        logging.error("doors at port %d: %r", line.port, exc)
        return jsonify(error="shut"), 503
    finally:
        line.close()
        key.release()
