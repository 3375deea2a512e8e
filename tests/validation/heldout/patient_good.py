# SPDX-License-Identifier: Apache-2.0
"""Flask and http.client; a second is plenty."""
import http.client
import os

from flask import Flask

app = Flask(__name__)


@app.get("/late")
def late():
    source = http.client.HTTPConnection("127.0.0.1", int(os.environ["PEER_PORT"]), timeout=1)
    try:
        source.request("GET", "/late")
        return source.getresponse().read()
    except OSError as exc:
        app.logger.warning("late: %r", exc)
        return {"error": "late"}, 503
    finally:
        source.close()


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
