# SPDX-License-Identifier: Apache-2.0
"""Uploads are stored in files; a full disk is an OSError that nobody expects."""
import os
import uuid

from flask import Flask, request

app = Flask(__name__)


@app.post("/upload")
def upload():
    name = uuid.uuid4().hex
    with open(os.path.join(os.environ["DATA"], name), "wb") as out:
        out.write(request.get_data())
    return {"stored": True}, 201


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
