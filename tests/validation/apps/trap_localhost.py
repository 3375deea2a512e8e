# SPDX-License-Identifier: Apache-2.0
"""`localhost` is asked for: ::1 refuses, 127.0.0.1 answers. Two addresses of one connect."""
import os
import urllib.request

from flask import Flask

app = Flask(__name__)


@app.get("/quote")
def quote():
    url = f"http://localhost:{os.environ['PEER_PORT']}/json"
    with urllib.request.urlopen(url, timeout=2) as answer:
        return answer.read()


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
