# SPDX-License-Identifier: Apache-2.0
"""The same; the one request is refused, and the worker goes on."""
import os
import uuid

from flask import Flask, request

app = Flask(__name__)


@app.post("/upload")
def upload():
    name = uuid.uuid4().hex
    try:
        with open(os.path.join(os.environ["DATA"], name), "xb") as out:
            out.write(request.get_data())
    except OSError as exc:
        app.logger.error("not stored: %r", exc)
        return {"error": "no space"}, 503, {"Retry-After": "5"}
    return {"stored": True}, 201
