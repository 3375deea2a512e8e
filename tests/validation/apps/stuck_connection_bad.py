# SPDX-License-Identifier: Apache-2.0
"""One http.client connection for ever: after a timeout it is in the wrong state and stays there."""
import http.client
import os
import threading

from flask import Flask

app = Flask(__name__)
lock = threading.Lock()
peer = http.client.HTTPConnection("127.0.0.1", int(os.environ["PEER_PORT"]), timeout=0.5)


@app.get("/weather")
def weather():
    with lock:
        try:
            peer.request("GET", "/json")
            return {"weather": peer.getresponse().read().decode()}
        except (OSError, http.client.HTTPException) as exc:
            app.logger.error("weather failed: %r", exc)
            return {"error": "no weather"}, 503, {"Retry-After": "1"}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
