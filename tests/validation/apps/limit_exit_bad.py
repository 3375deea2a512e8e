# SPDX-License-Identifier: Apache-2.0
"""A full disk is taken for the end of the world: the worker leaves, with all that it was serving."""
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
        app.logger.critical("cannot go on: %r", exc)
        os._exit(1)
    return {"stored": True}, 201
