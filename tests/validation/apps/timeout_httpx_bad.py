# SPDX-License-Identifier: Apache-2.0
"""httpx has a timeout of its own; here it was switched off."""
import os

import httpx
from flask import Flask

app = Flask(__name__)
peer = httpx.Client(base_url=os.environ["PEER"], timeout=None)


@app.get("/quote")
def quote():
    return peer.get("/json").json()


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
