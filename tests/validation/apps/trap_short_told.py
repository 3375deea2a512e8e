# SPDX-License-Identifier: Apache-2.0
"""One os.write(), and a look at what it says: half an upload is removed again, and refused."""
import os
import uuid

from flask import Flask, request

app = Flask(__name__)


@app.post("/upload")
def upload():
    path, data = os.path.join(os.environ["DATA"], uuid.uuid4().hex), request.get_data() * 40
    fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        written = os.write(fd, data)
    finally:
        os.close(fd)
    if written < len(data):
        os.unlink(path)
        app.logger.error("only %d of %d bytes were taken", written, len(data))
        return {"error": "not stored"}, 503, {"Retry-After": "5"}
    return {"stored": True}, 201
