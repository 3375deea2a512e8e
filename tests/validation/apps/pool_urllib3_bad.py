# SPDX-License-Identifier: Apache-2.0
"""Two connections at most; who finds none free waits in line, and the line has no end."""
import os

import urllib3
from flask import Flask

app = Flask(__name__)
peer = urllib3.HTTPConnectionPool("127.0.0.1", int(os.environ["PEER_PORT"]), maxsize=2, block=True,
                                  timeout=3, retries=False)


@app.get("/stock")
def stock():
    try:
        return peer.request("GET", "/json").data
    except urllib3.exceptions.HTTPError as exc:
        app.logger.warning("no stock: %r", exc)
        return {"error": "no stock"}, 503


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
