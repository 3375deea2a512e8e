# SPDX-License-Identifier: Apache-2.0
"""Lines to a pond are kept and used again, by a protocol of our own hands."""
import logging
import os
import queue
import socket

from flask import Flask, jsonify

app, lines = Flask(__name__), queue.LifoQueue()


def line_out():
    try:
        return lines.get_nowait()
    except queue.Empty:
        return socket.create_connection(("127.0.0.1", int(os.environ["PEER_PORT"])), timeout=0.3)


def ask(path):
    line = line_out()
    try:
        line.sendall(b"GET %s HTTP/1.1\r\nHost: pond\r\n\r\n" % path.encode())
        text = b""
        while b"}" not in text:
            text += line.recv(4096)
        return text.partition(b"\r\n\r\n")[2].decode()
    finally:
        lines.put(line)


@app.route("/fish/<int:number>")
def fish(number):
    try:
        return jsonify(fish=number, text=ask(f"/fish/{number}"))
    except OSError as exc:
        logging.error("pond at port %s: %r", os.environ["PEER_PORT"], exc)
        return jsonify(error="nothing bites"), 503
