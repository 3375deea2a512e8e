# SPDX-License-Identifier: Apache-2.0
"""A ticket that is another one each time: no earlier answer would do."""
import os
import random
import string

import requests
from flask import Flask

app = Flask(__name__)


@app.get("/ticket")
def ticket():
    try:
        unit = requests.get(os.environ["PEER"] + "/json", timeout=1).json()["unit"]
    except requests.RequestException as exc:
        app.logger.warning("no ticket: %r", exc)
        return {"error": "no ticket"}, 503
    return {"for": unit, "code": "".join(random.choices(string.ascii_letters, k=12))}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
