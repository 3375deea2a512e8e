# SPDX-License-Identifier: Apache-2.0
"""Scans are spooled to a file and then sent on. The file is closed when it was."""
import logging
import os
import urllib.error
import urllib.request

from flask import Flask, jsonify

app = Flask(__name__)
FOLDER = os.environ["DATA"]


class Scan:
    def __init__(self, number):
        self.path = os.path.join(FOLDER, f"{number}.scan")
        self.fd = os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600)

    def fill(self):
        os.pwrite(self.fd, b"scan" * 500, 0)

    def forward(self):
        ask = urllib.request.Request(os.environ["PEER"] + "/scan/" + os.path.basename(self.path), method="PUT",
                                     data=os.pread(self.fd, 2000, 0))
        with urllib.request.urlopen(ask, timeout=2) as answer:
            return answer.status

    def close(self):
        os.close(self.fd)


@app.route("/scan/<int:number>", methods=["POST"])
def scan(number):
    item = Scan(number)
    try:
        item.fill()
        item.forward()
    except (OSError, urllib.error.URLError) as exc:
        logging.warning("scan %d is not forwarded to %s: %r", number, os.environ["PEER"], exc)
        return jsonify(error="archive is not available"), 503
    finally:
        item.close()
    return jsonify(stored=number)


app.run(port=int(os.environ["PORT"]), threaded=True)
