# SPDX-License-Identifier: Apache-2.0
"""The same uploads; a full disk is refused in words, and the piece that was written is removed."""
import os
import uuid

from flask import Flask, request

app = Flask(__name__)


@app.post("/upload")
def upload():
    path = os.path.join(os.environ["DATA"], uuid.uuid4().hex)
    try:
        with open(path, "wb") as out:
            out.write(request.get_data())
    except OSError as exc:
        app.logger.error("upload not stored: %r", exc)
        if os.path.exists(path):
            os.unlink(path)
        return {"error": "no room"}, 503, {"Retry-After": "60"}
    return {"stored": True}, 201


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
