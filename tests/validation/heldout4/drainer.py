# SPDX-License-Identifier: Apache-2.0
"""A line whose answer was late is not used before that answer was read and thrown away."""
import logging
import os
import queue
import socket
import threading

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
            line.sendall(b"ECHO %s\r\n" % word.encode())
            answer = line.recv(4096)
        except socket.timeout:
            threading.Thread(target=self.drain, args=(line,), daemon=True).start()
            raise
        except OSError:
            line.close()
            self.free.put(self.open())
            raise
        self.free.put(line)
        return answer.split(b"\r\n")[1].decode()

    def drain(self, line):
        line.settimeout(3)
        try:
            line.recv(4096)
            line.settimeout(0.25)
        except OSError as exc:
            logging.warning("a late answer of redis never came: %r", exc)
            line.close()
            line = self.open()
        self.free.put(line)


lines = Lines(int(os.environ["REDIS_PORT"]), 6)


@app.route("/word/<word>")
def lookup(word):
    try:
        return jsonify(word=word, found=lines.ask(word))
    except (OSError, IndexError, queue.Empty) as exc:
        logging.warning("redis at port %d: %r", lines.port, exc)
        return jsonify(error="not now"), 503


app.run(port=int(os.environ["PORT"]), threaded=True)
