# SPDX-License-Identifier: Apache-2.0
"""Stock of a warehouse that is asked again while it does not answer."""
import logging
import os
import urllib.request

from flask import Flask, jsonify

app = Flask(__name__)


def tries():
    yield from range(150)


class Stock:
    house = os.environ["PEER"]

    def once(self, part):
        with urllib.request.urlopen(f"{self.house}/part/{part}", timeout=1) as answer:
            return answer.read().decode()

    def count(self, part):
        for _ in tries():
            try:
                return jsonify(part=part, stock=self.once(part))
            except OSError as exc:
                last = exc
        logging.error("stock of %s: %r", self.house, last)
        return jsonify(error="stock is away"), 503


app.add_url_rule("/part/<int:part>", "part", Stock().count)
