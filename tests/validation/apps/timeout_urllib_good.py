# SPDX-License-Identifier: Apache-2.0
"""The same with a timeout set once for every socket of the process."""
import os
import socket
import urllib.request

from flask import Flask

app = Flask(__name__)
socket.setdefaulttimeout(0.5)


@app.get("/quote")
def quote():
    try:
        with urllib.request.urlopen(os.environ["PEER"] + "/json") as answer:
            return answer.read()
    except OSError as exc:
        app.logger.warning("no quote: %r", exc)
        return {"error": "no quote"}, 503, {"Retry-After": "2"}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
