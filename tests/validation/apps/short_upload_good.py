# SPDX-License-Identifier: Apache-2.0
"""The same; what was not taken is written again, until there is no more."""
import os
import uuid

from flask import Flask, request

app = Flask(__name__)


@app.post("/upload")
def upload():
    fd = os.open(os.path.join(os.environ["DATA"], uuid.uuid4().hex), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        left = memoryview(request.get_data() * 40)
        while left:
            left = left[os.write(fd, left):]
    finally:
        os.close(fd)
    return {"stored": True}, 201
