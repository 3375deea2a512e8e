# SPDX-License-Identifier: Apache-2.0
"""Look-ups over lines to redis that are kept in a queue, as before there were clients for it."""
import logging
import os
import queue
import socket

from flask import Flask, jsonify

app = Flask(__name__)


class Lines:
    def __init__(self, port, size):
        self.port, self.free = port, queue.Queue()
        for _ in range(size):
            self.free.put(self.open())

    def open(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=0.25)

    def ask(self, word):
        line = self.free.get(timeout=1)
        try:
            line.sendall(b"*2\r\n$4\r\nECHO\r\n$%d\r\n%s\r\n" % (len(word), word.encode()))
            answer = line.recv(4096)
        finally:
            self.free.put(line)
        return answer.split(b"\r\n")[1].decode()


lines = Lines(int(os.environ["REDIS_PORT"]), 3)


@app.route("/lookup/<word>")
def lookup(word):
    try:
        return jsonify(word=word, found=lines.ask(word))
    except (OSError, IndexError, queue.Empty) as exc:
        logging.warning("redis at port %d: %r", lines.port, exc)
        return jsonify(error="not now"), 503


app.run(port=int(os.environ["PORT"]), threaded=True)
