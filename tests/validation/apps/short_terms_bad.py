# SPDX-License-Identifier: Apache-2.0
"""A text is read in one os.read() of its size, and another service's greeting is asked for in one send()."""
import os
import socket

from flask import Flask

app = Flask(__name__)
TERMS = os.path.join(os.environ["DATA"], "terms.txt")
REDIS = ("127.0.0.1", int(os.environ["REDIS_URL"].split(":")[2].split("/")[0]))

with open(TERMS, "w") as out:
    out.write("Goods are returned within a fortnight, unworn.\n" * 20)


@app.route("/terms")
def terms():
    fd = os.open(TERMS, os.O_RDONLY)
    try:
        return os.read(fd, os.fstat(fd).st_size)
    finally:
        os.close(fd)


@app.route("/visits")
def visits():
    try:
        with socket.create_connection(REDIS, timeout=0.5) as sock:
            sock.send(b"*2\r\n$4\r\nINCR\r\n$6\r\nvisits\r\n")
            return {"visits": int(sock.recv(64)[1:])}
    except OSError as exc:
        app.logger.warning("visits: %r", exc)
        return {"error": "not counted"}, 503


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
