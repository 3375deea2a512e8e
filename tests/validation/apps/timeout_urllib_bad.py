# SPDX-License-Identifier: Apache-2.0
"""urlopen of the standard library, without a timeout."""
import os
import urllib.request

from flask import Flask

app = Flask(__name__)


@app.get("/quote")
def quote():
    with urllib.request.urlopen(os.environ["PEER"] + "/json") as answer:
        return answer.read()


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
