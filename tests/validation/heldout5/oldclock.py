# SPDX-License-Identifier: Apache-2.0
"""The limit is the kernel's: SO_RCVTIMEO, set by hand, on sockets that block."""
import logging
import os
import socket
import struct

from flask import Flask, jsonify

app = Flask(__name__)


class Clock:
    def __init__(self, port):
        self.port = port

    def line(self):
        ret = socket.socket()
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            ret.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", 1, 500000))
        ret.connect(("127.0.0.1", self.port))
        return ret

    def time(self, place):
        with self.line() as line:
            line.sendall(b"GET /%s HTTP/1.0\r\nHost: peer\r\n\r\n" % place.encode())
            with line.makefile("rb", buffering=0) as answer:
                return b"".join(iter(lambda: line.recv(4096), b"")).decode()


@app.route("/time/<place>")
def time(place):
    try:
        return jsonify(place=place, text=Clock(int(os.environ["PEER_PORT"])).time(place))
    except OSError as exc:
        logging.error("clock at port %s: %r", os.environ["PEER_PORT"], exc)
        return jsonify(error="no time"), 503
