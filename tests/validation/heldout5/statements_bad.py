# SPDX-License-Identifier: Apache-2.0
"""Statements of account, long ones, over a plain socket with a second for each read."""
import logging
import os
import socket
import time

from flask import Flask, jsonify

app = Flask(__name__)


def statement(number):
    end = time.monotonic() + 2
    with socket.create_connection(("127.0.0.1", int(os.environ["PEER_PORT"])), timeout=1) as line:
        line.sendall(b"GET /long HTTP/1.0\r\nHost: peer\r\n\r\n")
        parts = []
        while True:
            wait(line, end)
            part = line.recv(4096)
            if not part:
                return b"".join(parts).partition(b"\r\n\r\n")[2].decode()
            parts.append(part)


def wait(line, end):
    line.settimeout(1)


@app.route("/statement/<int:number>")
def show(number):
    try:
        return jsonify(number=number, text=statement(number))
    except OSError as exc:
        logging.error("statement %d of port %s: %r", number, os.environ["PEER_PORT"], exc)
        return jsonify(error="no statement"), 503
